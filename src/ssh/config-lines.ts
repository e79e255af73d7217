import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { InputError } from '../errors.ts'
import { globPattern } from './glob.ts'

/** A line of ssh_config(5) that says something. */
export interface ConfigLine {
  /** In lower case. */
  keyword: string
  /** The words after it, without their quotes. */
  words: string[]
  /** All after it, as written: what a command is made of. */
  rest: string
  /** `FILE:LINE`. */
  at: string
  /** The files that an `Include` stands for. */
  included: ConfigLine[][]
}

/**
 * Reads a file in the format of ssh_config(5), and what it includes. A file that is not there says nothing.
 *
 * @param base where relative paths of `Include` count from
 * @throws InputError for a line that OpenSSH would not take either, with file and line
 */
export function readConfigLines(file: string, base: string, depth = 0): ConfigLine[] {
  if (depth > 16) throw new InputError('files of ssh_config include each other', { at: file })
  return readText(file)
    .split('\n')
    .flatMap((text, index) => {
      const at = `${file}:${index + 1}`
      const [, keyword = '', rest = ''] = /^\s*([^\s=]+)(?:\s*=\s*|\s*)(.*?)\s*$/.exec(text) ?? []
      if (keyword === '' || keyword.startsWith('#')) return []
      const words = wordsOf(rest, at)
      const line = { keyword: keyword.toLowerCase(), words, rest, at }
      return [{ ...line, included: line.keyword === 'include' ? include(words, base, depth) : [] }]
    })
}

function include(paths: readonly string[], base: string, depth: number): ConfigLine[][] {
  return paths
    .map((path) => path.replace(/^~(?=\/)/, homedir()))
    .flatMap((path) => pathsLike(isAbsolute(path) ? path : join(base, path)))
    .map((path) => readConfigLines(path, base, depth + 1))
}

/** The paths that glob(7) finds, in the order of their names. */
function pathsLike(path: string): string[] {
  if (!/[*?[]/.test(path)) return [path]
  const name = globPattern(path.slice(dirname(path).length).replace(/^\//, ''))
  return pathsLike(dirname(path)).flatMap((directory) =>
    list(directory)
      .filter((entry) => !entry.startsWith('.') && name.test(entry))
      .map((entry) => join(directory, entry)),
  )
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted()
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return ''
    throw new InputError(`${file} cannot be read`, { at: file, cause, found: String(cause) })
  }
}

/** Splits as OpenSSH does: quotes of both kinds, backslashes before them, and a comment at the end. */
function wordsOf(text: string, at: string): string[] {
  const words: string[] = []
  const word = /\s*(?:(#.*)|((?:[^\s'"\\]|\\[^]|\\$|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*')+))/y
  while (word.lastIndex < text.length) {
    const found = word.exec(text)
    if (!found) throw new InputError('a quote is not closed', { at, found: text })
    if (found[1] !== undefined) break
    words.push(unquoted(found[2] ?? ''))
  }
  return words
}

function unquoted(word: string): string {
  const parts = word.matchAll(/"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|([^'"\\]+|\\[^]?)/g)
  return [...parts]
    .map(([, double, single, plain]) => (double ?? single ?? plain ?? '').replaceAll(/\\(['"\\])/g, '$1'))
    .join('')
}
