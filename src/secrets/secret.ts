import { forms, shortest, shortestPart } from './forms.ts'

const known = new Set<string>()
let index: { all: Index; long: Index } | undefined

/** A value that prints as `***`; what it hides is told by `reveal()` only, and never leaves through a report. */
export class Secret {
  readonly #value: string

  /**
   * @param options `search`: look for the value in all that is reported. Default true; false for a text, such as a
   * file, that has secrets in it which are looked for themselves.
   */
  constructor(value: string, { search = true }: { search?: boolean } = {}) {
    this.#value = value
    if (!search) return
    const before = known.size
    for (const form of forms(value)) known.add(form)
    if (known.size > before) index = undefined
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}

/**
 * Text with every secret made so far replaced by `***`: what reports and journals pass through. A secret is found as
 * it is, quoted, as base64, and also where line breaks, with the indent or the marks of a diff, tear it apart.
 */
export function redact(text: string): string {
  if (known.size === 0) return text
  index ??= indexOf([...known])
  const clean = hide([text], find(text, index.all))
  if (!clean.includes('\n')) return clean
  const { long } = index
  return breaks.reduce((rest, one) => {
    const parts = rest.split(one)
    const joined = parts.filter((_, place) => place % 2 === 0).join('')
    return hide(parts, find(joined, long))
  }, clean)
}

/** Line breaks, and what a report or a diff puts at the beginning of a line. */
const breaks = [/(\r?\n[ \t]*)/, /(\r?\n[ \t]*[-+|] ?)/, /(\r?\n[-+])/]

/** Texts by how they begin: a search then costs the same for one secret and for many. */
type Index = ReadonlyMap<string, readonly string[]>

function indexOf(texts: readonly string[]): { all: Index; long: Index } {
  return { all: byStart(texts), long: byStart(texts.filter((text) => text.length >= shortestPart)) }
}

function byStart(texts: readonly string[]): Index {
  const groups = new Map<string, string[]>()
  // The longest first: one secret may begin with another.
  for (const text of texts.toSorted((one, other) => other.length - one.length)) {
    const start = text.slice(0, shortest)
    groups.set(start, [...(groups.get(start) ?? []), text])
  }
  return groups
}

interface Range {
  from: number
  to: number
}

/** Where any of the texts stands; those that overlap count as one. */
function find(text: string, texts: Index): Range[] {
  const found: Range[] = []
  for (let from = 0; from + shortest <= text.length; from++) {
    const one = texts.get(text.slice(from, from + shortest))?.find((other) => text.startsWith(other, from))
    if (one === undefined) continue
    const last = found.at(-1)
    const to = from + one.length
    if (last && from < last.to) last.to = Math.max(last.to, to)
    else found.push({ from, to })
  }
  return found
}

/** The parts, of which those at odd places are line breaks that the ranges do not count. */
function hide(parts: readonly string[], ranges: readonly Range[]): string {
  let clean = ''
  let start = 0
  for (const [place, part] of parts.entries()) {
    if (place % 2 === 1) {
      if (!ranges.some(({ from, to }) => from < start && start < to)) clean += part
      continue
    }
    const end = start + part.length
    let at = start
    for (const { from, to } of ranges) {
      if (to <= at || from >= end) continue
      if (from >= start) clean += `${part.slice(at - start, from - start)}***`
      at = Math.min(to, end)
    }
    clean += part.slice(at - start)
    start = end
  }
  return clean
}
