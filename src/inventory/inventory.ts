import { InputError } from '../errors.ts'
import { didYouMean } from './nearest.ts'
import { knownGroups, matchHosts } from './patterns.ts'
import type { Connection, Host, Inventory } from './types.ts'

/** An inventory with its lookups, from the parts that were read. */
export function makeInventory(parts: Omit<Inventory, 'group' | 'match'>): Inventory {
  return {
    ...parts,
    group: (name) => groupOf(parts.groups, name),
    match: (pattern) => matchHosts(parts, pattern),
  }
}

/**
 * The same inventory with parts of every host's connection replaced: what command line flags set.
 *
 * @example withConnection(inventory, { becomePassword: new Secret(typed) })
 */
export function withConnection(inventory: Inventory, connection: Partial<Connection>): Inventory {
  const hosts = new Map(
    inventory.hosts.map((host) => [host, { ...host, connection: { ...host.connection, ...connection } }]),
  )
  const replaced = (members: readonly Host[]): Host[] => members.flatMap((host) => hosts.get(host) ?? [])
  const groups = new Map([...inventory.groups].map(([name, members]) => [name, replaced(members)]))
  return makeInventory({ ...inventory, hosts: replaced(inventory.hosts), groups })
}

function groupOf(groups: ReadonlyMap<string, readonly Host[]>, name: string): readonly Host[] {
  const hosts = groups.get(name)
  if (hosts) return hosts
  if (knownGroups.some((known) => known === name)) return []
  throw noGroup(name, new Set([...groups.keys(), ...knownGroups]))
}

/** The error for a group that is not there. */
export function noGroup(name: string, known: Iterable<string>): InputError {
  const names = [...known]
  const next = didYouMean(name, names, `known: ${names.join(', ')}`)
  return new InputError(`no group is called \`${name}\``, { next })
}
