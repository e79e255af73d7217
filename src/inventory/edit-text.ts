/*
 * Lines of a text, whatever they end in, and changes to it.
 */

/** What stands from one offset to another, and what shall. */
export interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** The text with its changes, which must not overlap; those at one place stay in their order. */
export function spliced(text: string, splices: readonly Splice[]): string {
  return splices
    .toSorted((one, other) => one.from - other.from)
    .reduceRight((result, { from, to, text: by }) => result.slice(0, from) + by + result.slice(to), text)
}

/** Deletes lines with their ends; of the last line in a file that has no end, with the end before it. */
export function withoutLines(text: string, from: number, to: number): Splice {
  const end = matchAt(/\r\n|\r|\n/y, text, to)
  const before = end === '' ? (/(?:\r\n|\r|\n)$/.exec(text.slice(0, from))?.[0].length ?? 0) : 0
  return { from: from - before, to: to + end.length, text: '' }
}

export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1)) + 1
}

export function lineEnd(text: string, at: number): number {
  return at + matchAt(/[^\r\n]*/y, text, at).length
}

/** Where a line ends that holds at most a comment from here on, or undefined. */
export function commentEnd(text: string, at: number): number | undefined {
  const end = at + matchAt(/[ \t]*(?:(?<=[ \t])#[^\r\n]*)?/y, text, at).length
  return end === lineEnd(text, at) ? end : undefined
}

/** Where the comma is that follows, after blanks and comments; undefined if something else does. */
export function commaAfter(text: string, at: number): number | undefined {
  const place = at + matchAt(/(?:\s|(?<=\s)#[^\r\n]*)*/y, text, at).length
  return text[place] === ',' ? place : undefined
}

/** The end of a line, or of the comments below it that are indented deeper than its key: they belong to it. */
export function blockEnd(text: string, at: number, column: number): number {
  const end = lineEnd(text, at)
  const comment = matchAt(/(?:(?:\r\n|\r|\n)[ \t]*)+#/y, text, end)
  const deep = (/[^\r\n]*$/.exec(comment)?.[0].length ?? 0) > column + 1
  return deep ? blockEnd(text, end + comment.length, column) : end
}

/** How lines of the text end. */
export function eolOf(text: string): string {
  return /\r\n|\r|\n/.exec(text)?.[0] ?? '\n'
}

export function isBlank(text: string): boolean {
  return text.trim() === ''
}

/** What a sticky pattern finds at an offset. */
export function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}
