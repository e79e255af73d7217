import { InputError } from '../errors.ts'
import { isMapping, kindOf } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import { expandRange, mostHosts } from './ranges.ts'
import { isHostname } from './values.ts'
import { layerOf } from './variables.ts'
import type { Layer } from './variables.ts'
import type { Path, Source } from './yaml.ts'

/** Groups and hosts as hosts.yml writes them. */
export interface Tree {
  readonly groups: ReadonlyMap<string, Group>
  /** The lines of each host itself, in the order of writing. */
  readonly hosts: ReadonlyMap<string, Layer[]>
}

export interface Group {
  readonly name: string
  readonly members: Member[]
  readonly layers: Layer[]
}

/** A host or a child group, and where the group names it. */
export interface Member {
  readonly kind: 'host' | 'group'
  readonly name: string
  readonly at: string
}

/**
 * Reads the shape `GROUP: { hosts, children, vars }`, nested as deep as wanted. Every group that is nobody's child
 * is a child of `all`.
 *
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
 */
export function readTree(source: Source): Tree {
  const groups = new Map<string, Group>([['all', { name: 'all', members: [], layers: [] }]])
  const hosts = new Map<string, Layer[]>()
  const tree = { groups, hosts, source, done: new Map<string, Set<unknown>>() }
  for (const [name, value] of entries(source, source.value, [])) readGroup(tree, name, value, [name])
  const children = new Set(
    [...groups.values()].flatMap(({ members }) => members.filter(isGroup).map((m) => m.name)),
  )
  for (const name of groups.keys()) {
    if (name === 'all' || children.has(name)) continue
    groups.get('all')?.members.push({ kind: 'group', name, at: source.at([name]) })
  }
  refuseCycles(groups)
  return { groups, hosts }
}

interface Reading {
  groups: Map<string, Group>
  hosts: Map<string, Layer[]>
  source: Source
  /** What was read of each group: an alias may repeat it, again and again inside another. */
  done: Map<string, Set<unknown>>
}

function readGroup(reading: Reading, name: string, value: unknown, path: Path): void {
  const { groups, source } = reading
  if (!/^[a-z_][a-z0-9_-]*$/i.test(name)) {
    throw new InputError(`\`${name}\` is no name for a group`, {
      at: source.at(path),
      expected: 'letters, digits, _ and -, beginning with a letter',
    })
  }
  const group = groups.get(name) ?? { name, members: [], layers: [] }
  groups.set(name, group)
  const read = reading.done.get(name) ?? new Set()
  if (isMapping(value) && read.has(value)) return
  reading.done.set(name, read.add(value))
  for (const [part, inner] of entries(source, value, path)) {
    const at = [...path, part]
    if (part === 'hosts') readHosts(reading, group, inner, at)
    else if (part === 'children') readChildren(reading, group, inner, at)
    else if (part === 'vars') group.layers.push(layerOf(source, name === 'all' ? 'all' : 'group', inner, at))
    else throw misplaced(source, name, part, at)
  }
}

function readHosts(reading: Reading, group: Group, value: unknown, path: Path): void {
  const { hosts, source } = reading
  for (const [pattern, variables] of entries(source, value, path)) {
    const at = source.at([...path, pattern])
    for (const name of expandRange(pattern, at)) {
      if (!isHostname(name)) {
        throw new InputError(`\`${name}\` is no name for a host`, {
          at,
          expected: 'a host name: letters, digits, - and ., at most 63 between two dots, and not only digits',
        })
      }
      group.members.push({ kind: 'host', name, at })
      const layers = hosts.get(name) ?? []
      layers.push(layerOf(source, 'host', variables, [...path, pattern]))
      hosts.set(name, layers)
      if (hosts.size > mostHosts) throw new InputError(`there are more than ${mostHosts} hosts`, { at })
    }
  }
}

function readChildren(reading: Reading, group: Group, value: unknown, path: Path): void {
  for (const [name, inner] of entries(reading.source, value, path)) {
    const at = [...path, name]
    if (name === 'all') {
      throw new InputError('`all` cannot be the child of a group', { at: reading.source.at(at) })
    }
    group.members.push({ kind: 'group', name, at: reading.source.at(at) })
    readGroup(reading, name, inner, at)
  }
}

function entries(source: Source, value: unknown, path: Path): [string, unknown][] {
  if (value === null || value === undefined) return []
  if (isMapping(value)) return Object.entries(value)
  throw new InputError(`${path.length === 0 ? source.file : `\`${path.join('.')}\``} must be a mapping`, {
    at: source.at(path),
    expected: path.length === 0 ? '`all:` with hosts, children and vars' : '`name:`, one a line',
    found: kindOf(value),
  })
}

function misplaced(source: Source, group: string, part: string, path: Path): InputError {
  return new InputError(`a group has no \`${part}\``, {
    at: source.at(path),
    expected: `hosts, children or vars below \`${group}\``,
    next: didYouMean(
      part,
      ['hosts', 'children', 'vars'],
      `hosts go under \`${group}: hosts:\`, groups under \`${group}: children:\``,
    ),
  })
}

function isGroup(member: Member): boolean {
  return member.kind === 'group'
}

function refuseCycles(groups: ReadonlyMap<string, Group>): void {
  const done = new Set<string>()
  const visit = (name: string, around: readonly string[]): void => {
    if (done.has(name)) return
    for (const member of groups.get(name)?.members.filter(isGroup) ?? []) {
      const inner = [...around, name]
      if (inner.includes(member.name)) {
        const loop = [...inner.slice(inner.indexOf(member.name)), member.name]
        throw new InputError(`group ${member.name} is its own descendant`, {
          at: member.at,
          found: loop.join(' > '),
        })
      }
      visit(member.name, inner)
    }
    done.add(name)
  }
  for (const name of groups.keys()) visit(name, [])
}
