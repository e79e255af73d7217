import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Arch } from './machines.ts'
import { hostArch } from './machines.ts'
import { hasProgram, installPackages } from './programs.ts'
import { run } from './run.ts'

type Progress = (line: string) => void

const always: Record<string, string> = {
  'qemu-img': 'qemu-utils',
  slirp4netns: 'slirp4netns',
  mmdebstrap: 'mmdebstrap',
  socat: 'socat',
  // Not the lab itself: the demo and the tests ask for the page with it.
  curl: 'curl',
  iptables: 'iptables',
  ip: 'iproute2',
  sysctl: 'procps',
  nsenter: 'util-linux',
  'mkfs.ext4': 'e2fsprogs',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
}

const emulator: Record<Arch, Record<string, string>> = {
  amd64: { 'qemu-system-x86_64': 'qemu-system-x86' },
  arm64: { 'qemu-system-aarch64': 'qemu-system-arm' },
}

/** What installs packages of another architecture into a base image. */
const foreign: Record<Arch, Record<string, string>> = {
  amd64: {
    'qemu-x86_64-static': 'qemu-user-static',
    'update-binfmts': 'binfmt-support',
    'arch-test': 'arch-test',
  },
  arm64: {
    'qemu-aarch64-static': 'qemu-user-static',
    'update-binfmts': 'binfmt-support',
    'arch-test': 'arch-test',
  },
}

/** The Debian packages that a lab of this architecture wants and this computer does not have. */
export function missingPackages(arch: Arch, host: Arch = hostArch(), has = hasProgram): string[] {
  const wanted = { ...always, ...emulator[arch], ...(arch === host ? {} : foreign[arch]) }
  const missing = Object.entries(wanted).flatMap(([program, name]) => (has(program) ? [] : [name]))
  return [...new Set(missing)]
}

/**
 * Sees to it that everything the lab needs is installed.
 *
 * Errors: InputError with the command to run when this is not root's process, or not a Debian.
 */
export async function ensureRequirements(arch: Arch, onProgress: Progress): Promise<void> {
  const missing = missingPackages(arch)
  if (process.getuid?.() !== 0) {
    throw new InputError(
      'the lab needs root: it makes a network namespace and installs Debian into an image',
      {
        ...(missing.length > 0 && { found: `not installed: ${missing.join(', ')}` }),
        next:
          missing.length > 0
            ? `sudo apt-get update && sudo apt-get install ${missing.join(' ')}, then run this again with sudo`
            : 'run this again with sudo',
      },
    )
  }
  if (missing.length === 0) return
  if (!hasProgram('apt-get')) {
    throw new InputError('the lab needs programs that are not installed', {
      found: `missing, by their Debian names: ${missing.join(', ')}`,
      next: 'install them with this system’s package manager',
    })
  }
  onProgress(`installing ${missing.join(', ')} with apt-get`)
  await installPackages(missing)
}

const binfmt = '/proc/sys/fs/binfmt_misc'

/** Lets this computer run programs of `arch` while `work` runs. */
export async function withForeignPrograms<T>(arch: Arch, work: () => Promise<T>): Promise<T> {
  if (arch === hostArch()) return work()
  const mount = !existsSync(join(binfmt, 'status'))
  if (mount) await run(['mount', '-t', 'binfmt_misc', 'binfmt_misc', binfmt])
  try {
    const name = arch === 'arm64' ? 'qemu-aarch64' : 'qemu-x86_64'
    if (!existsSync(join(binfmt, name))) await run(['update-binfmts', '--enable', name])
    return await work()
  } finally {
    if (mount) await run(['umount', binfmt])
  }
}
