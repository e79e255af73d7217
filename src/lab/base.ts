import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrambleError } from '../errors.ts'
import type { Arch, Flavour } from './machines.ts'
import { hostArch } from './machines.ts'
import type { Kernel } from './qemu.ts'
import { afterPackages, beforePackages, leftOut, packages } from './recipe.ts'
import { withForeignPrograms } from './requirements.ts'
import { removeTree } from './remove-tree.ts'
import { run } from './run.ts'
import { aptSources, readHostSources } from './sources.ts'

type Progress = (line: string) => void

export interface Base extends Kernel {
  disk: string
}

/** Size of a machine's disk; it takes up only what is written to it. */
const diskSize = '16G'

/** Where the base image of this recipe is, or would be. A changed recipe gives another name. */
export function baseDirectory(directory: string, arch: Arch, flavour: Flavour): string {
  const recipe = JSON.stringify([packages(arch, flavour), beforePackages, afterPackages, leftOut, diskSize])
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12)
  return join(directory, `${flavour}-${arch}-${hash}`)
}

/** The base image of the machines: the kept one, or a new one, which takes about a minute. */
export async function ensureBase(
  directory: string,
  arch: Arch,
  flavour: Flavour,
  onProgress: Progress,
): Promise<Base> {
  const kept = baseDirectory(directory, arch, flavour)
  if (!existsSync(kept)) await build(kept, arch, flavour, onProgress)
  return { disk: join(kept, 'disk.ext4'), kernel: join(kept, 'vmlinuz'), initrd: join(kept, 'initrd') }
}

async function build(target: string, arch: Arch, flavour: Flavour, onProgress: Progress): Promise<void> {
  const building = `${target}.building`
  const root = join(building, 'root')
  const started = Date.now()
  const slow = arch === hostArch() ? 'about a minute' : 'about 10 minutes: packages unpack under emulation'
  onProgress(`building the ${flavour} ${arch} image, once (${slow})`)
  await removeTree(building)
  mkdirSync(building, { recursive: true })
  await withForeignPrograms(arch, () =>
    run(mmdebstrap(building, root, arch, flavour), {
      onLine: (line) => {
        if (line.startsWith('I: ')) onProgress(`  ${flavour}: ${line.slice(3)}`)
      },
    }),
  )
  const disk = join(building, 'disk.ext4')
  await run(['truncate', '-s', diskSize, disk])
  await run(['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1', '-d', root, disk])
  await run(['cp', bootFile(root, 'vmlinuz-'), join(building, 'vmlinuz')])
  // Unpacked here, at full speed, rather than by every machine at every boot.
  await run([
    'sh',
    '-c',
    'gzip -dc "$1" > "$2"',
    'sh',
    bootFile(root, 'initrd.img-'),
    join(building, 'initrd'),
  ])
  await removeTree(root)
  renameSync(building, target)
  onProgress(`built the ${flavour} ${arch} image in ${Math.round((Date.now() - started) / 1000)} s`)
}

function mmdebstrap(building: string, root: string, arch: Arch, flavour: Flavour): string[] {
  const before = join(building, 'before-packages')
  const after = join(building, 'after-packages')
  writeFileSync(before, beforePackages, { mode: 0o755 })
  writeFileSync(after, afterPackages, { mode: 0o755 })
  return [
    'mmdebstrap',
    '--mode=root',
    `--architectures=${arch}`,
    '--variant=apt',
    '--format=directory',
    // The package lists stay, so that a machine can install at once.
    '--skip=cleanup/apt',
    `--include=${packages(arch, flavour).join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    '--aptopt=Acquire::Languages "none"',
    `--essential-hook=${before}`,
    `--customize-hook=${after}`,
    'bookworm',
    root,
    ...aptSources(readHostSources()),
  ]
}

function bootFile(root: string, prefix: string): string {
  const boot = join(root, 'boot')
  const name = readdirSync(boot).find((name) => name.startsWith(prefix))
  if (name === undefined) throw new BrambleError(`the base image has no ${prefix}* in /boot`)
  return join(boot, name)
}

const imageName = /^(docker|fresh)-(amd64|arm64)-[0-9a-f]{12}(\.building)?$/

/** Removes images that no recipe makes any more, and what an interrupted build left. */
export async function pruneBases(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const [, flavour, arch] = imageName.exec(name) ?? []
    if (flavour === undefined || arch === undefined) continue
    const current = baseDirectory(
      directory,
      arch === 'arm64' ? arch : 'amd64',
      flavour === 'fresh' ? flavour : 'docker',
    )
    if (path !== current) await removeTree(path)
  }
}
