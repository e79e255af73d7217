import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machines.ts'
import { inNamespace } from './network.ts'
import { run } from './run.ts'
import { seedArchive } from './seed.ts'
import type { LabPaths } from './state.ts'

/** Makes the lab's login key and the machines' host keys where they are not there yet, and the known_hosts file. */
export async function ensureKeys(paths: LabPaths, machines: readonly Machine[]): Promise<void> {
  mkdirSync(paths.hostKeys, { recursive: true, mode: 0o700 })
  await ensureKey(paths.key, 'bramble-lab')
  for (const { name } of machines) await ensureKey(hostKey(paths, name), name)
  const lines = machines.map(({ name, address }) => {
    const [type = '', key = ''] = readFileSync(`${hostKey(paths, name)}.pub`, 'utf8').split(' ')
    return `${address},${name} ${type} ${key}\n`
  })
  writeFileSync(paths.knownHosts, lines.join(''))
}

/** Writes the disk from which a machine takes its keys at its first boot. */
export async function writeSeed(paths: LabPaths, { name }: Machine, file: string): Promise<void> {
  const archive = await seedArchive({
    hostKey: readFileSync(hostKey(paths, name), 'utf8'),
    hostKeyPublic: readFileSync(`${hostKey(paths, name)}.pub`, 'utf8'),
    loginKey: readFileSync(`${paths.key}.pub`, 'utf8'),
  })
  writeFileSync(file, archive, { mode: 0o600 })
}

/** OpenSSH's client, in the lab's network, with the lab's key and host keys and nothing of the user's own settings. */
export function sshCommand(paths: LabPaths, { address }: Machine, rest: readonly string[] = []): string[] {
  const options = [
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${paths.knownHosts}`,
    'GlobalKnownHostsFile=none',
    'ConnectTimeout=15',
  ].flatMap((option) => ['-o', option])
  const command = rest.length > 0 ? ['--', ...rest] : []
  return inNamespace(['ssh', '-F', 'none', '-i', paths.key, ...options, `pi@${address}`, ...command])
}

/** Of a machine that shall have another host key. */
export function removeKey(paths: LabPaths, name: string): void {
  for (const file of [hostKey(paths, name), `${hostKey(paths, name)}.pub`]) rmSync(file, { force: true })
}

function hostKey(paths: LabPaths, name: string): string {
  return join(paths.hostKeys, name)
}

async function ensureKey(path: string, comment: string): Promise<void> {
  if (existsSync(path)) return
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path])
}
