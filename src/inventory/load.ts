import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InputError } from '../errors.ts'
import { checkCluster, warningsOf } from './check.ts'
import { makeHost } from './host.ts'
import { makeInventory } from './inventory.ts'
import { membership } from './membership.ts'
import { expandPath } from './paths.ts'
import type { Environment } from './paths.ts'
import { knownGroups } from './patterns.ts'
import { clusterShape, settingsSchema } from './schema.ts'
import type { Settings } from './schema.ts'
import { keysOf } from '../secrets/keys.ts'
import { readStore } from '../secrets/store.ts'
import { fillSecrets, secretsFile } from './secrets.ts'
import type { ReadSecrets } from './secrets.ts'
import { readTree } from './tree.ts'
import type { Tree } from './tree.ts'
import type { Inventory } from './types.ts'
import { checkLayers } from './validate.ts'
import { applyEnvironment, codeOf, merge, readText, readVariables } from './variables.ts'
import type { Layer } from './variables.ts'
import { parseYaml } from './yaml.ts'

/** An inventory as it would be, with another text in its file. */
export interface Edited {
  /** Default: what the file says. */
  readonly text?: string
  /** A host whose host_vars may be there although the file does not name it. */
  readonly host: string
}

/**
 * Reads an inventory in Ansible's YAML shape and checks every setting. Opens no connection.
 *
 * @param path a directory with hosts.yml (or hosts.yaml), or such a file; group_vars and host_vars stand beside it
 * @param env BRAMBLE_USER, BRAMBLE_PRIVATE_KEY_FILE, BRAMBLE_BECOME_PASSWORD and BRAMBLE_HOST_KEYS beat the inventory
 * @param secrets reads the file of secrets, if something refers to one; by default without asking at a terminal
 * @param edited what to read instead of what is in the file; by default nothing
 * @throws InputError with file, line and column
 * @example
 * const inventory = await loadInventory('inventory')
 * inventory.group('loadbalancers').map((host) => host.address)
 */
export async function loadInventory(
  path: string,
  env: Environment = process.env,
  secrets: ReadSecrets = async (file) => (await readStore(file, keysOf(env)))?.values,
  edited?: Edited,
): Promise<Inventory> {
  const file = await inventoryFile(path)
  const directory = dirname(file)
  const tree = readTree(parseYaml(file, edited?.text ?? (await readText(file))))
  if (tree.hosts.size === 0) {
    throw new InputError(`${file} names no host`, {
      at: `${file}:1:1`,
      expected: '`all: hosts:`, one host a line',
    })
  }
  const members = membership(tree)
  const groupNames = new Set([...members.hosts.keys(), ...knownGroups])
  const hostNames = new Set([...tree.hosts.keys(), ...(edited ? [edited.host] : [])])
  const read: Written = {
    tree,
    groupFiles: await readVariables(join(directory, 'group_vars'), 'group', groupNames),
    hostFiles: await readVariables(join(directory, 'host_vars'), 'host', hostNames),
    environment: applyEnvironment(env),
  }
  const written = mapLayers(read, await fillSecrets(everyLayer(read), secretsFile(file), secrets))
  checkLayers(everyLayer(written))

  const layers = new Map(
    [...members.groups].map(([name, groups]) => [name, hostLayers(written, name, groups)]),
  )
  const hosts = (members.hosts.get('all') ?? []).map((name) =>
    makeHost({
      name,
      at: tree.hosts.get(name)?.[0]?.at([]) ?? file,
      groups: members.groups.get(name) ?? [],
      variables: hostVariables(layers.get(name) ?? []),
      directory,
      env,
    }),
  )
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const groups = new Map(
    [...members.hosts].map(([group, names]) => [group, names.flatMap((name) => byName.get(name) ?? [])]),
  )
  const clusterLayers = [...inlineOf(written.tree, 'all'), ...(written.groupFiles.get('all') ?? [])]
  const settings = readSettings(clusterLayers, directory, env)
  checkCluster({ settings, hosts, groups, clusterLayers, hostLayers: layers, tree, file })
  return makeInventory({ settings, hosts, groups, path: file, directory, warnings: warningsOf(groups) })
}

interface Written {
  tree: Tree
  groupFiles: ReadonlyMap<string, Layer[]>
  hostFiles: ReadonlyMap<string, Layer[]>
  environment: Layer
}

function everyLayer({ tree, groupFiles, hostFiles, environment }: Written): Layer[] {
  const inline = [...tree.groups.values()].flatMap((group) => group.layers)
  return [inline, ...tree.hosts.values(), ...groupFiles.values(), ...hostFiles.values(), environment].flat()
}

function mapLayers(
  { tree, groupFiles, hostFiles, environment }: Written,
  one: (layer: Layer) => Layer,
): Written {
  const each = (found: ReadonlyMap<string, Layer[]>) =>
    new Map([...found].map(([name, layers]) => [name, layers.map(one)]))
  const groups = [...tree.groups].map(
    ([name, group]) => [name, { ...group, layers: group.layers.map(one) }] as const,
  )
  return {
    tree: { groups: new Map(groups), hosts: each(tree.hosts) },
    groupFiles: each(groupFiles),
    hostFiles: each(hostFiles),
    environment: one(environment),
  }
}

/** Ansible's order: what hosts.yml says of groups, group_vars of all, of the others, the host's own lines, host_vars. */
function hostLayers(written: Written, name: string, groups: readonly string[]): Layer[] {
  return [
    ...groups.flatMap((group) => inlineOf(written.tree, group)),
    ...groups.flatMap((group) => written.groupFiles.get(group) ?? []),
    ...(written.tree.hosts.get(name) ?? []),
    ...(written.hostFiles.get(name) ?? []),
    written.environment,
  ]
}

function inlineOf(tree: Tree, group: string): readonly Layer[] {
  return tree.groups.get(group)?.layers ?? []
}

function hostVariables(layers: readonly Layer[]): Record<string, unknown> {
  const merged = Object.entries(merge(layers))
  return Object.fromEntries(merged.filter(([name]) => !Object.hasOwn(clusterShape, name)))
}

function readSettings(layers: readonly Layer[], directory: string, env: Environment): Settings {
  const merged = Object.entries(merge(layers)).filter(([name]) => Object.hasOwn(clusterShape, name))
  const settings = settingsSchema.parse(Object.fromEntries(merged))
  const { archives } = settings.images
  if (archives === undefined) return settings
  return { ...settings, images: { ...settings.images, archives: expandPath(archives, directory, env) } }
}

/** What Ansible takes for a part of an inventory, in its folder. */
const INVENTORY = /^[^.][^~]*\.(ya?ml|json|ini|toml)$|^hosts$/

/** The hosts.yml that a path of an inventory means. */
export async function inventoryFile(path: string): Promise<string> {
  const readable = <T>(read: Promise<T>) => read.catch((error: unknown) => unreadable(path, error))
  if (!(await readable(stat(path))).isDirectory()) return path
  const files = (await readable(readdir(path, { withFileTypes: true })))
    .filter((entry) => !entry.isDirectory() && INVENTORY.test(entry.name))
    .map(({ name }) => name)
  const [file, other] = ['hosts.yml', 'hosts.yaml'].filter((name) => files.includes(name))
  if (file === undefined) {
    throw new InputError(`${path} is no inventory`, {
      at: path,
      expected: `a file hosts.yml in it`,
      found: 'none',
    })
  }
  if (other !== undefined) {
    throw new InputError(`${path} has two inventories`, {
      at: path,
      found: `${join(path, file)} and ${join(path, other)}`,
      next: 'keep one',
    })
  }
  const unread = files.filter((name) => name !== file)
  if (unread.length > 0) {
    throw new InputError(`hosts are read from ${file} only`, {
      at: path,
      found: unread.join(', '),
      next: `put what is in there into ${file}, or the file elsewhere; or name the one: -i ${join(path, file)}`,
    })
  }
  return join(path, file)
}

function unreadable(path: string, error: unknown): never {
  const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR'
  throw new InputError(missing ? `there is no inventory ${path}` : `${path} cannot be read`, {
    at: path,
    expected: 'a directory with hosts.yml, or such a file',
    next: 'name one with -i, or make one with `bramble init`',
    cause: error,
  })
}
