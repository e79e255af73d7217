import { isAlias, isMap } from 'yaml'
import type { Pair, YAMLMap } from 'yaml'
import {
  byHand,
  colonOf,
  endOf,
  isEmpty,
  isInFlow,
  positionOf,
  rangeOf,
  refuseAliases,
  writeOut,
} from './edit-document.ts'
import type { Written } from './edit-document.ts'
import { betweenOf, blankOf, indentOf, paddingOf, stepOf } from './edit-style.ts'
import { blockEnd, commaAfter, commentEnd, eolOf, spliced } from './edit-text.ts'

/** A key and what it holds, as YAML: text, further keys, or not even a colon. */
export type Entry = readonly [key: string, value: string | readonly Entry[] | undefined]

/** Puts an entry below a key, after those that are there. */
export function putBelow(written: Written, pair: Pair, entry: Entry): string {
  const { value } = pair
  if (isEmpty(value)) return fill(written, pair, entry)
  if (isMap(value)) return putLast(written, value, entry)
  const at = positionOf(written, rangeOf(value)[0])
  const found = isAlias(value) ? `*${value.source}, which repeats what stands elsewhere` : 'no mapping'
  throw byHand(written.file, at, found, writeOut)
}

/** Puts an entry after the last one of a mapping. */
function putLast(written: Written, map: YAMLMap, entry: Entry): string {
  const { text } = written
  const last = map.items.at(-1) as Pair
  const end = endOf(text, last)
  if (map.flow) return putInBraces(text, map, end, flowText(text, entry))
  const indent = indentOf(written, last)
  const at = blockEnd(text, end, indent.length)
  return spliced(text, [{ from: at, to: at, text: lines(written, entry, indent) }])
}

function putInBraces(text: string, map: YAMLMap, end: number, entry: string): string {
  const between = betweenOf(text, map)
  const comma = commaAfter(text, end)
  const after = comma === undefined ? end : comma + 1
  // On a line of its own it comes after the comment of the last one.
  const at = between.includes('\n') ? (commentEnd(text, after) ?? after) : after
  const [before, behind] = comma === undefined ? [',', ''] : ['', ',']
  return spliced(text, [
    { from: after, to: after, text: before },
    { from: at, to: at, text: `${between.slice(1)}${entry}${behind}` },
  ])
}

/** Puts an entry below a key that holds nothing, `~` or `{}`. */
function fill(written: Written, pair: Pair, entry: Entry): string {
  const { text } = written
  const [start, keyEnd] = rangeOf(pair.key)
  const end = endOf(text, pair)
  refuseAliases(written, [start, end], 'within')
  const from = keyEnd + colonOf(text, pair).length
  if (isInFlow(written, start)) {
    const body = flowText(text, ['', [entry]])
    return spliced(text, [{ from, to: end, text: from === keyEnd ? body : body.slice(1) }])
  }
  const indent = indentOf(written, pair)
  const at = blockEnd(text, end, indent.length)
  return spliced(text, [
    { from, to: end, text: '' },
    { from: at, to: at, text: lines(written, entry, indent + stepOf(written)) },
  ])
}

/** An entry as lines, each with the end of the one before it. */
function lines(written: Written, [key, value = '']: Entry, indent: string): string {
  const line = `${eolOf(written.text)}${indent}${key}:`
  if (typeof value === 'string') return value === '' ? line : `${line} ${value}`
  return line + value.map((inner) => lines(written, inner, indent + stepOf(written))).join('')
}

function flowText(text: string, [key, value]: Entry): string {
  if (value === undefined) return key
  const blank = blankOf(text)
  if (typeof value === 'string') return `${key}:${value && blank}${value}`
  const padding = paddingOf(text)
  const inner = value.map((one) => flowText(text, one)).join(`,${blank}`)
  return `${key}:${blank}{${padding}${inner}${padding}}`
}
