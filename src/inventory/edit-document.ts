import { isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml'
import type { Alias, Document, Pair } from 'yaml'
import { InputError } from '../errors.ts'
import { matchAt } from './edit-text.ts'

/** A YAML file as text, and where in it everything stands. */
export interface Written {
  readonly file: string
  readonly text: string
  readonly document: Document
}

/** One place where a group is written; a group may be written at several. */
export interface Site {
  readonly group: string
  /** `workers:` with what is below it. */
  readonly pair: Pair
  /** `hosts:` in it, with what is below it. */
  readonly hosts?: Pair
}

/** @throws InputError where this parser finds fault with what the loader takes */
export function readWritten(file: string, text: string): Written {
  const written = { file, text, document: parseDocument(text, { uniqueKeys: false }) }
  const [error] = written.document.errors
  if (error) throw byHand(file, positionOf(written, error.pos[0]), error.message.split('\n')[0] ?? '')
  return written
}

/** The error for what only a human should change. */
export function byHand(
  file: string,
  at: string,
  found: string,
  next = 'make the change by hand, and then: bramble apply',
): InputError {
  return new InputError(`${file} cannot be edited by program`, { at, found, next })
}

/** What to do about an alias. */
export const writeOut =
  'write out what the alias stands for and try again, or make the change by hand and then: bramble apply'

export function positionOf({ file, text }: Pick<Written, 'file' | 'text'>, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/)
  return `${file}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}

/** All places where groups are written, but for what stands behind an alias. */
export function sitesOf({ document }: Written): Site[] {
  const groups = (map: unknown): Site[] =>
    pairsOf(map).flatMap((pair) => {
      const hosts = pairOf(pair.value, 'hosts')
      const site = { group: nameOf(pair), pair, ...(hosts && { hosts }) }
      return [site, ...groups(pairOf(pair.value, 'children')?.value)]
    })
  return groups(document.contents)
}

export function pairsOf(map: unknown): Pair[] {
  return isMap(map) ? map.items : []
}

export function pairOf(map: unknown, name: string): Pair | undefined {
  return pairsOf(map).find((pair) => nameOf(pair) === name)
}

/** A key as the loader reads it. */
export function nameOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : ''
}

/** Nothing, `~` or `{}`. */
export function isEmpty(value: unknown): boolean {
  if (isMap(value)) return value.items.length === 0
  return value === null || (isScalar(value) && value.value === null)
}

export function sourceOf(text: string, node: unknown): string {
  return text.slice(...rangeOf(node))
}

/** Where a node begins and ends, without its anchor, its tag and the comment that may follow. */
export function rangeOf(node: unknown): [start: number, end: number] {
  const [start, end] = (isNode(node) && node.range) || [0, 0]
  return [start, end]
}

/** The colon after a key, with what stands between; empty if there is none, as in `{rpi1, rpi2}`. */
export function colonOf(text: string, { key }: Pair): string {
  return matchAt(/\s*:/y, text, rangeOf(key)[1])
}

/** Where a key, its value or a colon without a value ends; a comment that may follow is no part of it. */
export function endOf(text: string, pair: Pair): number {
  // Of a value that is not there, the parser tells where it looked for it.
  if (sourceOf(text, pair.value) === '') return rangeOf(pair.key)[1] + colonOf(text, pair).length
  return endOfValue(text, pair.value)
}

function endOfValue(text: string, value: unknown): number {
  if (isMap(value) && !value.flow && value.items.length > 0) return endOf(text, value.items.at(-1) as Pair)
  if (isSeq(value) && !value.flow && value.items.length > 0) return endOfValue(text, value.items.at(-1))
  return text.slice(0, rangeOf(value)[1]).trimEnd().length
}

export function isInFlow({ document }: Written, at: number): boolean {
  let found = false
  visit(document, {
    Collection(_, { flow, range }) {
      if (flow && range && range[0] < at && at < range[1]) found = true
    },
  })
  return found
}

/** @throws InputError for an alias that repeats, elsewhere, what is anchored within a range of the text, or around it */
export function refuseAliases(
  written: Written,
  [from, to]: readonly [number, number],
  where: 'within' | 'around',
): void {
  const anchors = new Set<string>()
  const aliases: Alias[] = []
  visit(written.document, {
    Node(_, node) {
      const [start, end] = rangeOf(node)
      const within = from <= start && end <= to
      if (isAlias(node) && !within) aliases.push(node)
      if (isAlias(node) || node.anchor === undefined) return
      if (where === 'within' ? within : start <= from && to <= end) anchors.add(node.anchor)
    },
  })
  const alias = aliases.find(({ source }) => anchors.has(source))
  if (!alias) return
  const at = positionOf(written, rangeOf(alias)[0])
  throw byHand(written.file, at, `*${alias.source}, which repeats what would change`, writeOut)
}
