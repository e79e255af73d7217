import { starred } from '../glob.ts'

/** A pattern with `*`, `?` and, as in glob(7), `[…]`, which has to match all of a text. */
export function globPattern(pattern: string): RegExp {
  const parts = pattern.replaceAll(/[\\^$.|+(){}]/g, String.raw`\$&`).replaceAll('[!', '[^')
  try {
    return new RegExp(starred(parts.replaceAll('?', '.').split('*')), 's')
  } catch {
    // A bracket that is not closed, or around nothing, as in `[z-a]`: no file is like that.
    return /(?!)/
  }
}

/** Patterns as compiled: the same few are asked about every host. */
const compiled = new Map<string, RegExp>()

/** A pattern of ssh_config(5) and known_hosts: `*` and `?` only; `[` stands for itself. */
function matches(pattern: string, text: string, flags: '' | 'i'): boolean {
  const id = `${flags}:${pattern}`
  const known = compiled.get(id)
  if (known) return known.test(text)
  const escaped = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`).replaceAll('?', '.')
  const made = new RegExp(starred(escaped.split('*')), `s${flags}`)
  compiled.set(id, made)
  return made.test(text)
}

/** Whether one of the texts matches a list of patterns: none that is negated with `!`, and one of the others. */
export function matchesList(
  patterns: readonly string[],
  texts: readonly string[],
  flags: '' | 'i' = '',
): boolean {
  const any = (pattern: string): boolean => texts.some((text) => matches(pattern, text, flags))
  if (patterns.some((pattern) => pattern.startsWith('!') && any(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && any(pattern))
}
