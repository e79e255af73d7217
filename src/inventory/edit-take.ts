import type { Pair, YAMLMap } from 'yaml'
import { endOf, rangeOf, refuseAliases } from './edit-document.ts'
import type { Written } from './edit-document.ts'
import { betweenOf, indentOf, quoted, quoteOf } from './edit-style.ts'
import {
  blockEnd,
  commaAfter,
  commentEnd,
  eolOf,
  isBlank,
  lineStart,
  matchAt,
  spliced,
  withoutLines,
} from './edit-text.ts'

/** Puts other keys, each with the same value, in the place of one of a mapping; without any, the entry is taken out. */
export function replaceKey(written: Written, map: YAMLMap, pair: Pair, keys: readonly string[]): string {
  const { text } = written
  const [start, keyEnd] = rangeOf(pair.key)
  const end = endOf(text, pair)
  const [first, ...others] = keys.map((key) => quoted(key, quoteOf(pair.key)))
  if (first === undefined) {
    refuseAliases(written, [start, end], 'within')
    return map.flow ? takeFromBraces(text, map, pair) : takeLines(written, pair)
  }
  const indent = map.flow ? '' : indentOf(written, pair)
  const at = map.flow ? end : blockEnd(text, end, indent.length)
  const between = map.flow ? betweenOf(text, map) : eolOf(text) + indent
  const copies = others.map((key) => `${between}${key}${text.slice(keyEnd, end)}`).join('')
  return spliced(text, [
    { from: start, to: keyEnd, text: first },
    { from: at, to: at, text: copies },
  ])
}

function takeLines(written: Written, pair: Pair): string {
  const { text } = written
  const indent = indentOf(written, pair)
  const from = lineStart(text, rangeOf(pair.key)[0])
  return spliced(text, [withoutLines(text, from, blockEnd(text, endOf(text, pair), indent.length))])
}

function takeFromBraces(text: string, map: YAMLMap, pair: Pair): string {
  const [start] = rangeOf(pair.key)
  const end = endOf(text, pair)
  const own = commaAfter(text, end)
  const after = own === undefined ? end : own + 1
  const before = map.items[map.items.indexOf(pair) - 1]
  // Without a comma of its own it leaves with the one before it.
  const comma = before && own === undefined ? commaAfter(text, endOf(text, before)) : undefined
  const line = lineStart(text, start)
  const rest = commentEnd(text, after)
  if (isBlank(text.slice(line, start)) && rest !== undefined) {
    const dangling = comma === undefined ? [] : [{ from: comma, to: comma + 1, text: '' }]
    return spliced(text, [...dangling, withoutLines(text, line, rest)])
  }
  if (comma !== undefined) return spliced(text, [{ from: comma, to: end, text: '' }])
  const from = before || own !== undefined ? start : afterBrace(text, start)
  const to = after + matchAt(/[ \t]*/y, text, after).length
  return spliced(text, [{ from, to, text: '' }])
}

/** Blanks within braces that nothing is left in go, too. */
function afterBrace(text: string, at: number): number {
  return at - (/(?<=\{)[ \t]*$/.exec(text.slice(0, at))?.[0].length ?? 0)
}
