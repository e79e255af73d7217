import { InputError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { absolutePath, fileText } from './check.ts'
import { edited, joinLines, splitLines } from './text.ts'

export interface LineOptions extends Common {
  path: string
  /** The whole line. May be left out if `state` is `absent` and `match` is given. */
  line?: string
  /** The line to replace, or the lines to remove; a string is a regular expression. Default: the line itself. */
  match?: RegExp | string
  /** Default `present`. */
  state?: 'present' | 'absent'
  /** Make the file if there is none. Default false: then a missing file is an error. */
  create?: boolean
}

/**
 * One line of a text file, as Ansible's lineinfile has it: `present` replaces the last line that matches, or
 * appends; `absent` removes all lines that match. The file's owner and mode stay as they are.
 *
 * Errors: a `match` that does not match `line` (each run would take another line for the old one); the file is
 * missing (without `create`) or is not UTF-8 text.
 *
 * @example line({ path: '/etc/ssh/sshd_config', match: /^#?PasswordAuthentication/, line: 'PasswordAuthentication no' })
 */
export function line(options: LineOptions): Resource {
  const path = absolutePath(options.path)
  const { line, state = 'present' } = options
  const matches = matcher(options)
  const edit = (text: string): string => {
    const all = splitLines(text)
    if (state === 'absent') return all.some(matches) ? joinLines(all.filter((one) => !matches(one))) : text
    const last = all.findLastIndex(matches)
    if (line === undefined || all[last] === line) return text
    return joinLines(last < 0 ? [...all, line] : all.with(last, line))
  }
  const title =
    state === 'absent' ? `no line ${line ?? String(options.match)} in ${path}` : `line in ${path}: ${line}`
  return resource({ title, ...edited(path, edit, options) }, options)
}

function matcher({ line, match, state = 'present' }: LineOptions): (text: string) => boolean {
  if (line?.includes('\n')) {
    throw new InputError('a line cannot hold a newline', { found: JSON.stringify(line), next: 'use block()' })
  }
  if (line !== undefined) fileText(line)
  if (line === undefined && (state === 'present' || match === undefined)) {
    throw new InputError('no line given', { expected: "line, or match together with state: 'absent'" })
  }
  if (match === undefined) return (text) => text === line
  // Without the flags g and y, which make a RegExp remember where it stopped.
  const pattern =
    typeof match === 'string' ? new RegExp(match) : new RegExp(match, match.flags.replace(/[gy]/g, ''))
  if (state === 'present' && line !== undefined && !pattern.test(line)) {
    throw new InputError('match has to match the new line too', {
      expected: `a pattern that matches ${JSON.stringify(line)}`,
      found: String(pattern),
      next: 'widen it, as in /^#?Port/ for a line that is commented out at first',
    })
  }
  return (text) => pattern.test(text)
}
