import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { isMapping, kindOf } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Environment } from './paths.ts'
import { parseYaml } from './yaml.ts'
import type { Path, Source } from './yaml.ts'

/** Variables as they stand in one place: a file, a `vars:` mapping, a host's own lines, the environment. */
export interface Layer {
  /** Settings of the whole cluster may stand in `all` only. */
  readonly scope: 'all' | 'group' | 'host'
  readonly variables: Readonly<Record<string, unknown>>
  at(path: Path): string
}

/**
 * Merges layers, later ones winning. Mappings (`vip`, `labels`, `extra`, …) are merged name by name, so that
 * one file can set a password and another a port; lists and everything deeper are replaced.
 */
export function merge(layers: readonly Layer[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {}
  for (const { variables } of layers) {
    for (const [name, value] of Object.entries(variables)) {
      const before = merged[name]
      merged[name] = isMapping(before) && isMapping(value) ? { ...before, ...value } : value
    }
  }
  return merged
}

/** Where the value that won was written. */
export function origin(layers: readonly Layer[], path: Path): string | undefined {
  const holds = (layer: Layer): boolean => {
    let value: unknown = layer.variables
    for (const step of path) value = isMapping(value) ? value[step] : undefined
    return value !== undefined
  }
  return layers.findLast(holds)?.at(path)
}

export function layerOf(source: Source, scope: Layer['scope'], value: unknown, base: Path): Layer {
  const at = (path: Path): string => source.at([...base, ...path])
  if (value === null || value === undefined) return { scope, variables: {}, at }
  if (!isMapping(value)) {
    throw new InputError('variables must be a mapping', {
      at: at([]),
      expected: '`name: value`, one a line',
      found: kindOf(value),
    })
  }
  return { scope, variables: value, at }
}

/** The environment as the topmost layer of every host: BRAMBLE_USER, BRAMBLE_BECOME_PASSWORD and so on. */
export function applyEnvironment(env: Environment): Layer {
  const names = [
    ['ansible_user', 'BRAMBLE_USER'],
    ['ansible_ssh_private_key_file', 'BRAMBLE_PRIVATE_KEY_FILE'],
    ['ansible_become_password', 'BRAMBLE_BECOME_PASSWORD'],
    ['host_keys', 'BRAMBLE_HOST_KEYS'],
  ] as const
  const set = names.filter(([, name]) => env[name])
  const variables = Object.fromEntries(set.map(([variable, name]) => [variable, env[name]]))
  const at = ([variable]: Path): string =>
    `${names.find(([key]) => key === variable)?.[1]} in the environment`
  return { scope: 'host', variables, at }
}

/**
 * Reads `group_vars` or `host_vars`: NAME.yml, NAME.yaml, NAME.json, NAME, or a directory NAME of such files, whose
 * variables are merged in the order of their names.
 *
 * @throws InputError for a file that belongs to no known name, which Ansible would silently ignore
 */
export async function readVariables(
  directory: string,
  kind: 'group' | 'host',
  known: ReadonlySet<string>,
): Promise<Map<string, Layer[]>> {
  const found = new Map<string, Layer[]>()
  const files = new Map<string, string>()
  for (const { name: file, isDirectory } of await list(directory)) {
    const name = isDirectory ? file : file.replace(/\.(ya?ml|json)$/, '')
    const path = join(directory, file)
    if (!known.has(name)) {
      throw new InputError(`no ${kind} is called ${name}`, {
        at: path,
        next: didYouMean(name, known, `name it after a ${kind} of the inventory, or remove it`),
      })
    }
    const other = files.get(name)
    if (other !== undefined) {
      throw new InputError(`the variables of ${kind} ${name} stand in two places`, {
        at: path,
        found: `${other} and ${path}`,
        next: `keep one of them, or put both files into the directory ${join(directory, name)}`,
      })
    }
    files.set(name, path)
    const scope = name === 'all' && kind === 'group' ? 'all' : kind
    found.set(name, isDirectory ? await readTree(path, scope) : [await readLayer(path, scope)])
  }
  return found
}

async function readTree(
  directory: string,
  scope: Layer['scope'],
  around: readonly string[] = [],
): Promise<Layer[]> {
  const real = await realpath(directory)
  if (around.includes(real)) throw new InputError(`${directory} holds itself`, { at: directory })
  const layers: Layer[] = []
  for (const { name, isDirectory } of await list(directory)) {
    const path = join(directory, name)
    layers.push(
      ...(isDirectory ? await readTree(path, scope, [...around, real]) : [await readLayer(path, scope)]),
    )
  }
  return layers
}

async function readLayer(file: string, scope: Layer['scope']): Promise<Layer> {
  const source = parseYaml(file, await readText(file), {})
  return layerOf(source, scope, source.value, [])
}

async function list(directory: string): Promise<{ name: string; isDirectory: boolean }[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw unreadable(directory, error)
  })
  const visible = names.filter((name) => !/^\.|~$|\.(md|orig|swp)$/.test(name)).toSorted()
  return Promise.all(
    visible.map(async (name) => ({ name, isDirectory: await isDirectory(join(directory, name)) })),
  )
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  return found.isDirectory()
}

/** @throws InputError for a file that cannot be read or is not UTF-8 */
export async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(path: string, error: unknown): InputError {
  const reason = error instanceof TypeError ? 'it is not UTF-8 text' : String(error)
  return new InputError(`${path} cannot be read`, { at: path, found: reason, cause: error })
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
