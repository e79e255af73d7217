import { InputError } from '../errors.ts'
import { starred } from '../glob.ts'
import { didYouMean } from './nearest.ts'
import type { Host } from './types.ts'

/** Groups that mean something to the shipped playbooks; they may be missing from an inventory. */
export const knownGroups = ['managers', 'workers', 'loadbalancers', 'webservers', 'nfs_server'] as const

/** Hosts and groups by name: what a pattern is looked up in. */
export interface Roster {
  readonly hosts: readonly Host[]
  readonly groups: ReadonlyMap<string, readonly Host[]>
}

/**
 * The hosts that a pattern means, each once.
 *
 * Terms are joined by `:` or `,`: a host, a group, `all` or `*`, a glob (`web*`), a regular expression from the
 * start of the name (`~rpi[12]$`), a group with one position (`managers[0]`, `[-1]`) or a range of them, both ends
 * included (`managers[0:1]`). `&term` keeps only hosts of that term and `!term` leaves them out; as in Ansible both
 * work on all plain terms, wherever they stand. A pattern of only those starts from all hosts.
 *
 * @throws InputError for a name, glob or regular expression that fits no host and no group
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
 * @example matchHosts(inventory, 'webservers:&managers:!rpi3')
 */
export function matchHosts(roster: Roster, pattern: string): Host[] {
  const terms = split(pattern)
  const withSign = (sign: string): string[] =>
    terms.filter((term) => term.startsWith(sign)).map((term) => term.slice(1))
  const plain = terms.filter((term) => !/^[&!]/.test(term))
  if (terms.length === 0)
    throw new InputError('the host pattern is empty', { expected: 'a host, a group or all' })

  let hosts = [
    ...new Set((plain.length > 0 ? plain : ['all']).flatMap((term) => lookUp(roster, term, pattern))),
  ]
  for (const term of withSign('&')) {
    const kept = new Set(lookUp(roster, term, pattern))
    hosts = hosts.filter((host) => kept.has(host))
  }
  for (const term of withSign('!')) {
    const left = new Set(lookUp(roster, term, pattern))
    hosts = hosts.filter((host) => !left.has(host))
  }
  return hosts
}

/** Splits at `:` and `,` outside of brackets. */
function split(pattern: string): string[] {
  const terms = ['']
  let depth = 0
  for (const letter of pattern) {
    if ('[({'.includes(letter)) depth++
    if ('])}'.includes(letter)) depth--
    if (depth <= 0 && (letter === ':' || letter === ',')) terms.push('')
    else terms.push(`${terms.pop() ?? ''}${letter}`)
  }
  return terms.map((term) => term.trim()).filter((term) => term !== '')
}

function lookUp(roster: Roster, term: string, pattern: string): readonly Host[] {
  const [, name = '', first, colon, last] = /^([^~].*)\[(-?\d*)(?:(:)(-?\d*))?\]$/.exec(term) ?? []
  if (name === '' || (first === '' && colon === undefined)) return named(roster, term, pattern)
  const hosts = named(roster, name, pattern)
  const from = first ? Number(first) : 0
  // Ansible counts the last position in.
  const to = colon === undefined ? from : last ? Number(last) : -1
  return hosts.slice(from, to === -1 ? undefined : to + 1)
}

function named(roster: Roster, name: string, pattern: string): readonly Host[] {
  if (name === 'all' || name === '*') return roster.hosts
  const expression = toRegExp(name, pattern)
  if (!expression) return exactly(roster, name, pattern)
  const groups = [...roster.groups].filter(([group]) => expression.test(group))
  const hosts = roster.hosts.filter((host) => expression.test(host.name))
  if (groups.length === 0 && hosts.length === 0) {
    throw new InputError(`no host and no group matches \`${name}\``, {
      ...inside(name, pattern),
      next: known(roster),
    })
  }
  return [...new Set([...groups.flatMap(([, members]) => members), ...hosts])]
}

function exactly(roster: Roster, name: string, pattern: string): readonly Host[] {
  const group = roster.groups.get(name)
  if (group) return group
  const host = roster.hosts.find((host) => host.name === name)
  if (host) return [host]
  if (knownGroups.some((known) => known === name)) return []
  const names = [...roster.hosts.map((host) => host.name), ...roster.groups.keys(), ...knownGroups, 'all']
  throw new InputError(`no host and no group is called \`${name}\``, {
    ...inside(name, pattern),
    next: didYouMean(name, names, known(roster)),
  })
}

function toRegExp(name: string, pattern: string): RegExp | undefined {
  try {
    if (name.startsWith('~')) return new RegExp(`^(?:${name.slice(1)})`)
    return /[*?[\]]/.test(name) ? fromGlob(name) : undefined
  } catch (error) {
    throw new InputError(`\`${name}\` is not a regular expression`, {
      ...inside(name, pattern),
      cause: error,
    })
  }
}

function fromGlob(glob: string): RegExp {
  const parts = ['']
  for (const part of glob.match(/\[!?\]?[^\]]*\]|[^]/g) ?? []) {
    if (part === '*') parts.push('')
    else parts.push(`${parts.pop() ?? ''}${one(part)}`)
  }
  return new RegExp(starred(parts))
}

/** What stands for one letter. */
function one(part: string): string {
  if (part === '?') return '.'
  if (part.length === 1) return part.replace(/[.+^${}()|[\]\\]/, String.raw`\$&`)
  const negated = part.startsWith('[!')
  const letters = part.slice(negated ? 2 : 1, -1).replaceAll(/[\\\]^[]/g, String.raw`\$&`)
  return `[${negated ? '^' : ''}${letters}]`
}

function inside(name: string, pattern: string): { found?: string } {
  return name === pattern ? {} : { found: `the pattern \`${pattern}\`` }
}

function known(roster: Roster): string {
  const names = [...roster.groups.keys(), ...roster.hosts.map((host) => host.name)]
  const shown = names.slice(0, 20).join(', ')
  return `known: ${shown}${names.length > 20 ? ', …' : ''}`
}
