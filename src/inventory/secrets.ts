import { dirname, join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'
import { isMapping } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Layer } from './variables.ts'
import { SecretReference } from './yaml.ts'
import type { Path } from './yaml.ts'

export type Secrets = Pick<ReadonlyMap<string, Secret>, 'has' | 'get' | 'keys'>

/** The secrets in a file, by name; undefined where there is no such file. */
export type ReadSecrets = (file: string) => Promise<Secrets | undefined>

/** Where the secrets of an inventory are, given its hosts.yml. */
export function secretsFile(hostsFile: string): string {
  return join(dirname(hostsFile), 'secrets.age')
}

/**
 * Puts the secret in place of each `!secret NAME`. The file is read only if there is one.
 *
 * @throws InputError for a name that is not in the file, and what keeps the file from being read
 */
export async function fillSecrets(
  layers: readonly Layer[],
  file: string,
  read: ReadSecrets,
): Promise<(layer: Layer) => Layer> {
  const references: { name: string; at: string }[] = []
  for (const layer of layers) {
    replaced(layer.variables, [], ({ name }, path) => void references.push({ name, at: layer.at(path) }))
  }
  if (references.length === 0) return (layer) => layer
  const secrets = await read(file)
  for (const { name, at } of references) if (!secrets?.has(name)) throw missing(name, at, file, secrets)
  return (layer) => {
    const variables = replaced(layer.variables, [], ({ name }) => secrets?.get(name))
    return isMapping(variables) ? { ...layer, variables } : layer
  }
}

type Replace = (reference: SecretReference, path: Path) => unknown

/** What stands behind an anchor is walked once, however often it is named. */
function replaced(value: unknown, path: Path, replace: Replace, done = new Map<unknown, unknown>()): unknown {
  if (value instanceof SecretReference) return replace(value, path)
  if (!isMapping(value) && !Array.isArray(value)) return value
  if (done.has(value)) return done.get(value)
  const inner = (item: unknown, step: string | number): unknown =>
    replaced(item, [...path, step], replace, done)
  const copy = Array.isArray(value)
    ? value.map(inner)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, key)]))
  done.set(value, copy)
  return copy
}

function missing(name: string, at: string, file: string, secrets: Secrets | undefined): InputError {
  const names = [...(secrets?.keys() ?? [])].toSorted()
  const add = `add it: bramble secret set ${name || 'NAME'}`
  return new InputError(`there is no secret \`${name}\``, {
    at,
    expected: `a name that ${file} holds`,
    found: secrets ? `it holds ${names.join(', ') || 'none'}` : 'there is no such file',
    next: didYouMean(name, names, add),
  })
}
