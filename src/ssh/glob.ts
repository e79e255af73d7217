/** A pattern with `*`, `?` and, as in glob(7), `[…]`, which has to match all of a text. */
export function globPattern(pattern: string, flags = ''): RegExp {
  const parts = pattern.replaceAll(/[\\^$.|+(){}]/g, String.raw`\$&`).replaceAll('[!', '[^')
  return new RegExp(`^${parts.replaceAll('*', '.*').replaceAll('?', '.')}$`, `s${flags}`)
}

/** A pattern of ssh_config(5) and known_hosts: `*` and `?` only; `[` stands for itself. */
export function matches(pattern: string, text: string, flags = ''): boolean {
  const escaped = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, `s${flags}`).test(text)
}

/** Whether one of the texts matches a list of patterns: none that is negated with `!`, and one of the others. */
export function matchesList(patterns: readonly string[], texts: readonly string[], flags = ''): boolean {
  const any = (pattern: string): boolean => texts.some((text) => matches(pattern, text, flags))
  if (patterns.some((pattern) => pattern.startsWith('!') && any(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && any(pattern))
}
