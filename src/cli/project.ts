import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { InputError } from '../errors.ts'
import {
  loadInventory,
  type Host,
  type Inventory,
  type ReadSecrets,
  type Settings,
} from '../inventory/index.ts'
import { keysOf } from '../secrets/keys.ts'
import { Secret } from '../secrets/secret.ts'
import { readStore } from '../secrets/store.ts'
import type { Template } from '../playbook/play.ts'
import { readArchive, type Archive } from '../stack/archive.ts'
import type { Target } from '../ssh/connection.ts'
import { askPassword } from './terminal.ts'

/** The folder a command works in: where inventory/, playbooks/ and templates/ are. */
export function projectDirectory(): string {
  return process.cwd()
}

/** The inventory, with its secrets if it refers to any; their passphrase is asked for where nothing else tells it. */
export function inventoryOf(path: string): Promise<Inventory> {
  const ask = process.stdin.isTTY ? (question: string) => askPassword(question) : undefined
  return loadInventory(
    path,
    process.env,
    async (file) => (await readStore(file, keysOf(process.env, ask)))?.values,
  )
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
  return Promise.all(files.map((file) => readArchive(join(directory, file))))
}

/**
 * How to reach a host, within its `ansible_timeout` or `patience` seconds, whichever is more; keys of hosts met for the
 * first time are recorded in the project.
 */
export function target(project: string, host: Host, patience = 0): Target {
  const { knownHosts, ...connection } = host.connection
  return {
    name: host.name,
    ...connection,
    connectTimeout: Math.max(connection.connectTimeout, patience),
    knownHosts: knownHosts ?? join(project, '.bramble/known_hosts'),
  }
}
