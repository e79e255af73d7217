import { InputError, TaskError } from '../errors.ts'
import type { Seen } from '../playbook/resource.ts'

/** The path itself, if it is one that means the same from every working directory. */
export function absolutePath(path: string): string {
  if (path.startsWith('/') && !/[\0\p{Surrogate}]/u.test(path)) return path
  throw new InputError('a path on a host has to be absolute', {
    expected: 'a path that begins with /',
    found: JSON.stringify(path),
    next: 'write the whole path',
  })
}

/** A file mode as four octal digits: `644` becomes `0644`. */
export function fileMode(mode: string): string {
  if (/^[0-7]{3,4}$/.test(mode)) return mode.padStart(4, '0')
  throw new InputError('a file mode is three or four octal digits', {
    expected: "a string such as '0644'",
    found: JSON.stringify(mode),
    next: 'quote the mode: in JavaScript the number 644 is not octal',
  })
}

/** The text itself, if it matches; else an error that says what kind of thing was expected. */
export function matching(text: string, pattern: RegExp, expected: string): string {
  if (pattern.test(text)) return text
  throw new InputError(`not ${expected}`, { expected, found: JSON.stringify(text) })
}

/** The text itself, if a host can be given it: NUL ends a word, and half a character would arrive as another. */
export function wordText(text: string, what: string): string {
  return matching(text, /^[^\0\p{Surrogate}]*$/u, `${what} without NUL bytes and halves of characters`)
}

/** The text itself, if it can be told from bytes that are no text once it stands in a file. */
export function fileText(text: string): string {
  return matching(
    text,
    /^[^\0\uFFFD\p{Surrogate}]*$/u,
    'text without NUL bytes, U+FFFD and halves of characters',
  )
}

/** A user or group that owns something: its name or number on the host. */
export function ownerName(name: string): string {
  return matching(
    name,
    /^[^-:\s\0\p{Surrogate}][^:\n\0\p{Surrogate}]*$/u,
    "a user's or group's name or number",
  )
}

/** What a probe printed, or an error if it could not look. */
export function printed(seen: Seen, what: string): string {
  if (seen.code === 0) return seen.stdout
  throw new TaskError(`could not look at ${what}`, {
    expected: 'a probe that exits with 0',
    found: `exit code ${seen.code}${seen.stdout.trim() === '' ? '' : ` after printing ${seen.stdout.trim()}`}`,
    stderr: seen.stderr ?? '',
  })
}

/** The first line, and all that follows it. */
export function cutLine(text: string): [string, string] {
  const end = text.indexOf('\n')
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)]
}
