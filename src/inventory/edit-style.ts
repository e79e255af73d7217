import { isMap, isScalar, stringify } from 'yaml'
import type { Pair, YAMLMap } from 'yaml'
import { byHand, endOf, pairsOf, positionOf, rangeOf } from './edit-document.ts'
import type { Written } from './edit-document.ts'
import { eolOf, isBlank, lineStart } from './edit-text.ts'

/*
 * How a YAML text is written: what is put into it shall look like what is there.
 */

export type Quote = '' | "'" | '"'

export function quoteOf(node: unknown): Quote {
  const type = isScalar(node) ? node.type : undefined
  return type === 'QUOTE_DOUBLE' ? '"' : type === 'QUOTE_SINGLE' ? "'" : ''
}

/** A name as YAML, in quotes where it would be read as something else without. */
export function quoted(name: string, quote: Quote): string {
  return quote === '' ? stringify(name).trimEnd() : `${quote}${name}${quote}`
}

/** What stands before a key that has its line for itself. */
export function indentOf(written: Written, pair: Pair): string {
  const [start] = rangeOf(pair.key)
  const prefix = written.text.slice(lineStart(written.text, start), start)
  if (!isBlank(prefix)) {
    throw byHand(written.file, positionOf(written, start), `\`${prefix.trim()}\` before the key`)
  }
  return prefix.replace('\uFEFF', '')
}

/** How much deeper each level is indented. */
export function stepOf({ text, document }: Written): string {
  const [outer] = pairsOf(document.contents)
  const [inner] = pairsOf(outer?.value)
  const [start] = rangeOf(inner?.key)
  const isLines = inner && isMap(outer?.value) && !outer.value.flow
  return ' '.repeat(isLines ? start - lineStart(text, start) : 2)
}

/** What stands between two entries of a mapping in braces: a comma and blanks, or a comma and a new line. */
export function betweenOf(text: string, map: YAMLMap): string {
  const [one, other] = map.items.slice(-2)
  const between = one && other ? text.slice(endOf(text, one), rangeOf(other.key)[0]) : ''
  if (/^,[ \t]*(?:(?:\r\n|\r|\n)[ \t]*)?$/.test(between)) return between
  const [start] = rangeOf(map.items.at(-1)?.key)
  const prefix = text.slice(lineStart(text, start), start)
  return isBlank(prefix) ? `,${eolOf(text)}${prefix}` : `,${blankOf(text)}`
}

/** What follows a colon in braces: nothing in JSON that is written without blanks. */
export function blankOf(text: string): string {
  return /["}]:["{]/.test(text) ? '' : ' '
}

/** What follows an opening brace, and goes before a closing one. */
export function paddingOf(text: string): string {
  return /\{ \S/.test(text) ? ' ' : ''
}
