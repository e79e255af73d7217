import { Secret } from '../secrets/secret.ts'

/** A piece of POSIX shell. Only sh`…` and raw() make one, so that what came from a user is always quoted. */
export interface Sh {
  readonly text: string
}

class Script implements Sh {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type ShValue = string | number | Secret | Sh | readonly ShValue[]

/**
 * Shell text with every value quoted as one word for a POSIX `sh`; an array becomes several words, another
 * `Sh` is put in as it is.
 *
 * @example sh`install -d -m ${'0755'} -- ${'/srv/my share'}`.text === "install -d -m 0755 -- '/srv/my share'"
 */
export function sh(strings: TemplateStringsArray, ...values: readonly ShValue[]): Sh {
  let text = cooked(strings[0])
  values.forEach((value, index) => {
    text += word(value) + cooked(strings[index + 1])
  })
  return new Script(text)
}

/** JavaScript gives undefined for a part with an escape that it does not know, such as a lone backslash and 1. */
function cooked(part: string | undefined): string {
  if (part !== undefined) return part
  throw new Error('sh`…` holds a backslash sequence that JavaScript does not know: write the backslash twice')
}

/** Shell text taken as it is: for text that bramble itself wrote, never for a user's. */
export function raw(text: string): Sh {
  return new Script(text)
}

/** Pieces of shell, one after another, each on a line of its own. */
export function lines(...parts: readonly Sh[]): Sh {
  return new Script(parts.map((part) => part.text).join('\n'))
}

function word(value: ShValue): string {
  if (value instanceof Script) return value.text
  if (value instanceof Secret) return quote(value.reveal())
  if (typeof value === 'string' || typeof value === 'number') return quote(String(value))
  if (Array.isArray(value)) return value.map(word).join(' ')
  throw new TypeError('only text, numbers, secrets, shell text and lists of them can stand in sh`…`')
}

/**
 * One word of POSIX shell, whatever the text holds.
 *
 * Errors: a NUL byte, which no shell word can hold; half a character (a lone surrogate), which is no UTF-8.
 *
 * @see POSIX.1-2017, Shell Command Language, 2.2.2 Single-Quotes
 * @example quote("it's") === `'it'\\''s'`
 */
export function quote(text: string): string {
  if (text.includes('\0')) throw new Error('a shell word cannot hold a NUL byte')
  if (/\p{Surrogate}/u.test(text)) throw new Error('a shell word cannot hold half a character')
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}
