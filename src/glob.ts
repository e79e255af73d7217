/**
 * The source of a regular expression for text that has these parts, each of fixed length, with anything between them.
 * Each part is taken where it first fits and never sought anew, since a glob of many stars would take for ever.
 *
 * @example new RegExp(starred(['web', '.', ''])).test('web-1') === true
 */
export function starred(parts: readonly string[]): string {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return `^${first}$`
  const between = rest.map((part, index) => `(?=(.*?${part}))\\${index + 1}`)
  return `^${first}${between.join('')}.*${last}$`
}
