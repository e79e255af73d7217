import * as fc from 'fast-check'

/*
 * Inventories as people write them, and the same with a host more or less: what an edit of the text has to come to.
 */

/** A host in a list, a comment on a line of its own, or an empty line. */
type Item = { host: string; note: string } | { comment: string }

interface List {
  group: string
  layout: 'lines' | 'braces' | 'spread'
  items: readonly Item[]
}

interface Manner {
  step: string
  eol: string
  quote: string
  /** What a host without variables is followed by. */
  nothing: string
  /** Whether a host's address stands on a line of its own. */
  nested: boolean
  key: string
  /** Whether the file ends its last line. */
  ends: boolean
}

export interface Inventory {
  lists: readonly List[]
  manner: Manner
}

const names = Array.from({ length: 8 }, (_, index) => `rpi${index + 1}`)
export const groups = ['managers', 'workers', 'webservers', 'loadbalancers', 'garden']

const note = fc.constantFrom('', '', '', ' # attic', '   # { rpi1: }, "it\'s"')
const comment = fc.constantFrom('', '# rpi1:', "# what's [this]: {?", '# }')
const manner: fc.Arbitrary<Manner> = fc.record({
  step: fc.constantFrom('  ', '    '),
  eol: fc.constantFrom('\n', '\n', '\r\n'),
  quote: fc.constantFrom('', '', '"', "'"),
  nothing: fc.constantFrom('', ' {}', ' ~', ' null'),
  nested: fc.boolean(),
  key: fc.constantFrom('ansible_host', 'address'),
  ends: fc.boolean(),
})

function list(group: string, hosts: readonly string[]): fc.Arbitrary<List> {
  const items = fc.tuple(
    ...hosts.map((host) => fc.tuple(fc.array(comment, { maxLength: 2 }), note, fc.constant(host))),
  )
  return fc.record({
    group: fc.constant(group),
    layout: fc.constantFrom('lines', 'lines', 'braces', 'spread'),
    items: fc
      .tuple(items, fc.array(comment, { maxLength: 1 }))
      .map(([all, after]): Item[] => [
        ...all.flatMap(([above, note, host]): Item[] => [
          ...above.map((comment) => ({ comment })),
          { host, note },
        ]),
        ...after.map((comment) => ({ comment })),
      ]),
  })
}

/** Hosts in `all`, and some of them in groups. */
export const inventory: fc.Arbitrary<Inventory> = fc
  .tuple(fc.shuffledSubarray(names, { minLength: 2 }), manner)
  .chain(([hosts, manner]) =>
    fc
      .tuple(
        list('all', hosts),
        ...groups.map((group) =>
          fc.shuffledSubarray(hosts, { minLength: 1 }).chain((members) => list(group, members)),
        ),
      )
      .map((lists) => ({ lists, manner })),
  )

export function hostsOf({ lists }: Inventory): string[] {
  return lists[0]?.items.flatMap((item) => ('host' in item ? [item.host] : [])) ?? []
}

export function without({ lists, manner }: Inventory, name: string): Inventory {
  const left = (items: readonly Item[]) => items.filter((item) => !('host' in item && item.host === name))
  return { manner, lists: lists.map((list) => ({ ...list, items: left(list.items) })) }
}

export function withHost({ lists, manner }: Inventory, name: string, groups: readonly string[]): Inventory {
  const more = (items: readonly Item[]) =>
    items.toSpliced(items.findLastIndex((item) => 'host' in item) + 1, 0, { host: name, note: '' })
  const grown = lists.map((list) =>
    list.group === 'all' || groups.includes(list.group) ? { ...list, items: more(list.items) } : list,
  )
  return { manner, lists: grown }
}

export function addressOf(name: string): string {
  return `10.0.0.${name.slice(3)}`
}

export function render({ lists, manner }: Inventory): string {
  const [all, ...others] = lists
  const { step, eol, ends } = manner
  const lines = [
    '# the cluster',
    'all:',
    `${step}vars: # of all`,
    `${step}${step}ansible_user:   pi`,
    ...(all ? hostLines(all, step, manner) : []),
    '',
    `${step}children:`,
    ...others.flatMap((list) => [
      `${step}${step}# what ${list.group} are`,
      `${step}${step}${list.group}:`,
      ...hostLines(list, step.repeat(3), manner),
    ]),
  ]
  return lines.join(eol) + (ends ? eol : '')
}

function hostLines({ group, layout, items }: List, indent: string, manner: Manner): string[] {
  const { step, quote, nested, key } = manner
  const hosts = items.flatMap((item) => ('host' in item ? [item] : []))
  const q = (name: string) => quote + name + quote
  const inner = indent + step
  const address = (name: string) => `{ ${key}: ${addressOf(name)} }`
  if (layout === 'braces') {
    const all = hosts.map(({ host }) => `${q(host)}: ${group === 'all' ? address(host) : '{}'}`)
    return [`${indent}hosts: {${all.join(', ')}}`]
  }
  if (layout === 'spread') {
    const lines = items.map((item) => {
      if ('comment' in item) return item.comment && inner + item.comment
      const comma = item === hosts.at(-1) ? '' : ','
      return `${inner}${q(item.host)}: ${group === 'all' ? address(item.host) : '{}'}${comma}${item.note}`
    })
    return [`${indent}hosts: {`, ...lines, `${inner}}`]
  }
  const lines = items.flatMap((item) => {
    if ('comment' in item) return [item.comment && inner + item.comment]
    const { host, note } = item
    if (group !== 'all') return [`${inner}${q(host)}:${manner.nothing}${note}`]
    if (!nested) return [`${inner}${q(host)}: ${address(host)}${note}`]
    return [`${inner}${q(host)}:${note}`, `${inner}${step}${key}: ${addressOf(host)}${note}`]
  })
  return [`${indent}hosts:`, ...lines]
}
