import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { InputError } from '../errors.ts'
import {
  loadInventory,
  withConnection,
  type Edited,
  type Host,
  type Inventory,
  type ReadSecrets,
  type Settings,
} from '../inventory/index.ts'
import { keysOf } from '../secrets/keys.ts'
import { Secret } from '../secrets/secret.ts'
import { readStore } from '../secrets/store.ts'
import type { Template } from '../playbook/play.ts'
import { readArchives } from '../stack/archive-cache.ts'
import type { Archive } from '../stack/archive.ts'
import { readSshConfig, type SshConfig } from '../ssh/config.ts'
import { makeTarget, type Target } from '../ssh/target.ts'
import { unlockKeys } from '../ssh/unlock.ts'
import { askPassword } from './terminal.ts'

/** The folder a command works in: where inventory/, playbooks/ and templates/ are. */
export function projectDirectory(): string {
  return process.cwd()
}

/**
 * The inventory, with its secrets if it refers to any; their passphrase is asked for where nothing else tells it.
 * `edited`: what to read instead of its file.
 */
export function inventoryOf(path: string, edited?: Edited): Promise<Inventory> {
  const ask = process.stdin.isTTY ? (question: string) => askPassword(question) : undefined
  return loadInventory(
    path,
    process.env,
    async (file) => (await readStore(file, keysOf(process.env, ask)))?.values,
    edited,
  )
}

/** The same for a command that becomes root: with `-K`, the password for that is asked for. */
export async function rootInventoryOf(
  flags: { inventory: string; 'ask-become-pass': boolean },
  edited?: Edited,
): Promise<Inventory> {
  const inventory = await inventoryOf(flags.inventory, edited)
  if (!flags['ask-become-pass']) return inventory
  const becomePassword = await askPassword('sudo password: ', 'Set BRAMBLE_BECOME_PASSWORD instead.')
  return withConnection(inventory, { becomePassword })
}

/** Stands in for the file of secrets where no value is needed. */
export function lockedSecrets(): ReturnType<ReadSecrets> {
  return Promise.resolve({
    has: () => true,
    get: () => new Secret(''),
    keys: () => new Map<string, Secret>().keys(),
  })
}

/** Reads templates of the project, each once. */
export function templates(project: string): (name: string) => Template {
  const read = new Map<string, Template>()
  return (name) => {
    const known = read.get(name)
    if (known) return known
    const path = join(project, 'templates', name)
    if (!existsSync(path)) {
      const there = existsSync(join(project, 'templates')) ? readdirSync(join(project, 'templates')) : []
      throw new InputError(`there is no template ${name}`, {
        expected: `a file templates/${name}`,
        found: there.length > 0 ? there.join(', ') : 'no folder templates/ here',
      })
    }
    const template = { name, text: readFileSync(path, 'utf8') }
    read.set(name, template)
    return template
  }
}

/** The image archives of the inventory's `images.archives` folder. */
export async function archives(project: string, settings: Settings): Promise<Archive[]> {
  const { archives: folder } = settings.images
  if (folder === undefined) return []
  const directory = resolve(project, folder.replace(/^~(?=\/)/, homedir()))
  if (!existsSync(directory)) {
    throw new InputError('the folder of image archives is not there', {
      expected: `images.archives: ${directory}`,
      next: 'For virtual Pis, `bramble lab up` makes it. Otherwise put archives made by `docker save` there.',
    })
  }
  const files = readdirSync(directory).filter((file) => /\.tar(\.gz)?$/.test(file))
  const paths = files.map((file) => join(directory, file))
  return readArchives(paths, join(project, '.bramble/cache/archives.json'))
}

/** How to reach a host; keys of hosts met for the first time are recorded in the project. */
export function target(project: string, host: Host): Target {
  const { env } = process
  return makeTarget(host, { config: sshConfig(), knownHosts: join(project, '.bramble/known_hosts'), env })
}

/**
 * How to reach hosts, with what has to be known before the first connection: passphrases of keys are asked for. A host
 * is given its own time to answer, or `patience` seconds where those are more.
 *
 * Errors: InputError for what is wrong with ssh_config(5) or a key.
 */
export async function reach(
  project: string,
  hosts: readonly Host[],
): Promise<(host: Host, patience?: number) => Target> {
  const targets = new Map(hosts.map((host) => [host, target(project, host)]))
  for (const sentence of new Set([...targets.values()].flatMap(({ ignored }) => ignored))) {
    process.stderr.write(`warning: ${sentence}\n`)
  }
  await unlockKeys([...targets.values()], passphrase)
  return (host, patience = 0) => {
    const found = targets.get(host) ?? target(project, host)
    return { ...found, connectTimeout: Math.max(found.connectTimeout, patience) }
  }
}

const configs = new Map<string, SshConfig>()

/** The user's configuration of OpenSSH, read once. */
function sshConfig(): SshConfig {
  const named = process.env['BRAMBLE_SSH_CONFIG']
  const id = `${named ?? ''}:${homedir()}`
  const known = configs.get(id) ?? readSshConfig(named)
  configs.set(id, known)
  return known
}

/** The passphrase of a key; undefined where there is nobody to ask. */
async function passphrase(path: string): Promise<{ secret: Secret; from: string } | undefined> {
  const given = process.env['BRAMBLE_KEY_PASSPHRASE']
  if (given) return { secret: new Secret(given), from: 'the one in BRAMBLE_KEY_PASSPHRASE' }
  if (!process.stdin.isTTY) return undefined
  return { secret: await askPassword(`passphrase of ${path}: `), from: 'the one that was typed' }
}
