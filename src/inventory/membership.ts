import type { Tree } from './tree.ts'

/** Who belongs where, children's hosts included. */
export interface Membership {
  /** Hosts of each group in the order of writing. */
  readonly hosts: ReadonlyMap<string, readonly string[]>
  /** Groups of each host, from the weakest to the strongest: parents first, then by name, as Ansible orders them. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}

export function membership(tree: Tree): Membership {
  const hosts = new Map<string, readonly string[]>()
  const collect = (group: string): readonly string[] => {
    const known = hosts.get(group)
    if (known) return known
    const members = tree.groups.get(group)?.members ?? []
    const names = members.flatMap(({ kind, name }) => (kind === 'host' ? [name] : collect(name)))
    const unique = [...new Set(names)]
    hosts.set(group, unique)
    return unique
  }
  for (const group of tree.groups.keys()) collect(group)
  hosts.set('all', [...new Set([...collect('all'), ...tree.hosts.keys()])])

  const order = [...hosts.keys()].toSorted(strength(tree))
  const groups = new Map<string, string[]>([...tree.hosts.keys()].map((name) => [name, []]))
  for (const group of order) for (const host of hosts.get(group) ?? []) groups.get(host)?.push(group)

  const ungrouped = [...groups].filter(([, names]) =>
    names.every((name) => name === 'all' || name === 'ungrouped'),
  )
  hosts.set('ungrouped', [
    ...new Set([...(hosts.get('ungrouped') ?? []), ...ungrouped.map(([host]) => host)]),
  ])
  for (const [, names] of ungrouped) if (!names.includes('ungrouped')) names.push('ungrouped')
  const written = [...tree.groups.keys(), 'ungrouped']
  return { hosts: new Map(written.map((name) => [name, hosts.get(name) ?? []])), groups }
}

/** Groups, and all those that they are children of, themselves or by way of others. */
export function withParents(tree: Tree, groups: Iterable<string>): Set<string> {
  const found = new Set(groups)
  for (const name of found) {
    for (const parent of tree.groups.values()) {
      if (parent.members.some((member) => member.kind === 'group' && member.name === name))
        found.add(parent.name)
    }
  }
  return found
}

function strength(tree: Tree): (one: string, other: string) => number {
  const depths = new Map<string, number>()
  const deepen = (group: string, depth: number): void => {
    if (depth <= (depths.get(group) ?? -1)) return
    depths.set(group, depth)
    for (const { kind, name } of tree.groups.get(group)?.members ?? []) {
      if (kind === 'group') deepen(name, depth + 1)
    }
  }
  deepen('all', 0)
  return (one, other) =>
    (depths.get(one) ?? 0) - (depths.get(other) ?? 0) || (one < other ? -1 : Number(one > other))
}
