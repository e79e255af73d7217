import { forms, shortestPart } from './forms.ts'

const known = new Set<string>()
let patterns: { all: RegExp; long: RegExp } | undefined

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
    if (known.size > before) patterns = undefined
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
  const { all, long } = (patterns ??= patternsOf([...known]))
  const clean = text.replace(all, '***')
  return clean.includes('\n') ? breaks.reduce((rest, one) => acrossLines(rest, one, long), clean) : clean
}

function patternsOf(texts: readonly string[]): { all: RegExp; long: RegExp } {
  return { all: anyOf(texts), long: anyOf(texts.filter((text) => text.length >= shortestPart)) }
}

function anyOf(texts: readonly string[]): RegExp {
  // The longest first: one secret may begin with another. Without any, a pattern that nothing matches.
  const ordered = texts.toSorted((one, other) => other.length - one.length)
  return new RegExp(
    ordered.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|') || '(?!)',
    'g',
  )
}

/** Line breaks, and what a report or a diff puts at the beginning of a line. */
const breaks = [/(\r?\n[ \t]*)/, /(\r?\n[ \t]*[-+|] ?)/, /(\r?\n[-+])/]

function acrossLines(text: string, lineBreak: RegExp, long: RegExp): string {
  // The breaks themselves stand at the odd places.
  const parts = text.split(lineBreak)
  const joined = parts.filter((_, index) => index % 2 === 0).join('')
  const found = [...joined.matchAll(long)].map(({ index, 0: { length } }) => ({
    from: index,
    to: index + length,
  }))
  if (found.length === 0) return text
  let clean = ''
  let at = 0
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) {
      if (!found.some(({ from, to }) => from < at && at < to)) clean += part
      continue
    }
    const end = at + part.length
    for (const { from, to } of found) {
      if (to <= at || from >= end) continue
      if (from >= at) clean += `${joined.slice(at, from)}***`
      at = Math.min(to, end)
    }
    clean += joined.slice(at, end)
    at = end
  }
  return clean
}
