import { isMap } from 'yaml'
import type { Pair } from 'yaml'
import { colonOf, isEmpty, rangeOf, sourceOf } from './edit-document.ts'
import { addressOf, hasAddress } from './edit-place.ts'
import type { Entry } from './edit-put.ts'
import { quoted, quoteOf } from './edit-style.ts'
import type { Quote } from './edit-style.ts'

/** Nothing, written as the neighbour writes it. */
export function emptyLike(text: string, neighbours: readonly Pair[], inBraces: boolean): Entry[1] {
  const last = neighbours.at(-1)
  if (!last || !isEmpty(last.value)) return inBraces ? '{}' : ''
  return colonOf(text, last) === '' ? undefined : sourceOf(text, last.value)
}

/** An address, written as the last neighbour that has one writes it. */
export function addressLike(
  text: string,
  neighbours: readonly Pair[],
  address: string,
  quote: Quote,
): Entry[1] {
  const like = neighbours.findLast(hasAddress)
  const found = like && addressOf(like)
  if (!like || !found) return [[quoted('ansible_host', quote), quoted(address, quote)]]
  const [key, value] = [sourceOf(text, found.key), quoted(address, quoteOf(found.value))]
  if (!isMap(like.value) || !like.value.flow) return [[key, value]]
  const inner = sourceOf(text, like.value).slice(1, -1)
  const between = text.slice(rangeOf(found.key)[1], rangeOf(found.value)[0])
  const colon = /^\s*:\s*$/.test(between) ? between : ': '
  return `{${/^\s*/.exec(inner)?.[0] ?? ''}${key}${colon}${value}${/\s*$/.exec(inner)?.[0] ?? ''}}`
}
