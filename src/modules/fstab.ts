import { joinLines, splitLines } from './text.ts'

/** What a line of fstab and of /proc/self/mounts begins with. */
export interface Entry {
  source: string
  path: string
  type: string
  options: string
}

/** As in fstab and /proc/self/mounts: blanks, `#` and backslashes are three octal digits. */
export function escapeField(text: string): string {
  return text.replace(/[ \t\n\\#]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** Not trim(): blanks of other kinds are part of a name. */
function fieldsOf(entry: string): string[] {
  return entry.split(/[ \t]+/).filter((field) => field !== '')
}

/** A line of such a table; undefined for a comment or what is no entry. */
export function parseEntry(entry: string): Entry | undefined {
  const fields = fieldsOf(entry)
  const [source, path, type, options = 'defaults'] = fields.map((field) =>
    field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
  )
  if (fields[0]?.startsWith('#') || source === undefined || path === undefined || type === undefined)
    return undefined
  return { source, path: path.replace(/(.)\/+$/, '$1'), type, options }
}

/** The fstab with this entry in place of those for the same path. */
export function newTable(table: string, path: string, entry: string | undefined): string {
  const all = splitLines(table)
  const mine = all.filter((one) => parseEntry(one)?.path === path)
  const same = entry !== undefined && mine.length === 1 && fieldsOf(mine[0] ?? '').join(' ') === entry
  if (same || (entry === undefined && mine.length === 0)) return table
  const at = mine[0] === undefined ? all.length : all.indexOf(mine[0])
  const others = (part: string[]): string[] => part.filter((one) => !mine.includes(one))
  return joinLines([
    ...others(all.slice(0, at)),
    ...(entry === undefined ? [] : [entry]),
    ...others(all.slice(at)),
  ])
}

/** Options without what concerns mount(8), systemd and boot alone. */
export function inForce(options: string): string {
  const alone = /^(defaults|auto|noauto|nofail|_netdev|x-.*|comment=.*)$/
  return options
    .split(',')
    .filter((one) => !alone.test(one))
    .toSorted()
    .join()
}
