import { InputError } from '../errors.ts'
import { joinLines, splitLines } from './text.ts'

/** A line of an authorized_keys file that holds a key. */
export interface KeyEntry {
  /** Empty if there are none. */
  options: string
  /** Type and body: what makes two entries the same key. */
  key: string
  line: string
}

const ENTRY =
  /^[ \t]*(?:(?<options>(?:"(?:\\"|[^"])*"|[^\s"])+)[ \t]+)??(?<type>(?:ssh|ecdsa|sk)-[\w@.-]+)[ \t]+(?<body>[A-Za-z0-9+/]+=*)(?:[ \t].*)?$/

/** Undefined for a comment, and for what is no key known here. */
function parseKeyEntry(line: string): KeyEntry | undefined {
  const { options = '', type, body } = ENTRY.exec(line)?.groups ?? {}
  if (type === undefined || line.trimStart().startsWith('#')) return undefined
  return { options, key: `${type} ${body}`, line }
}

function isComment(line: string): boolean {
  return /^\s*(#.*)?$/.test(line)
}

/** The keys of a text, one a line. Errors (InputError): a line that holds none, or one that is not whole. */
export function publicKeys(text: string): KeyEntry[] {
  return splitLines(text)
    .map((line) => line.trim())
    .filter((line) => !isComment(line))
    .map((line) => {
      const entry = parseKeyEntry(line)
      if (entry && isWhole(entry)) return entry
      throw new InputError(entry ? 'a public key that is not whole' : 'not a public key', {
        expected: 'a line such as ssh-ed25519 AAAA… me@laptop, as in a .pub file',
        found: JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line),
      })
    })
}

/** The body is a row of fields with their lengths in front, the first of which is the type. */
function isWhole({ key }: KeyEntry): boolean {
  const [type = '', body = ''] = key.split(' ')
  const bytes = Buffer.from(body, 'base64')
  if (bytes.toString('base64') !== body) return false
  const fields: Buffer[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at)
    fields.push(bytes.subarray(at + 4, end))
    at = end
  }
  return at === bytes.length && fields.length > 1 && fields[0]?.toString() === type
}

/** The text of an authorized_keys file with these keys, each once; `exclusive`: with no others. */
export function withKeys(text: string, wanted: readonly KeyEntry[], exclusive: boolean): string {
  const missing = new Map(wanted.map((entry) => [entry.key, entry]))
  const known = new Set(missing.keys())
  const kept = splitLines(text).flatMap((line) => {
    const entry = parseKeyEntry(line)
    if (!entry || !known.has(entry.key)) return exclusive && !isComment(line) ? [] : [line]
    const want = missing.get(entry.key)
    missing.delete(entry.key)
    if (!want) return []
    return want.options === '' || want.options === entry.options ? [line] : [want.line]
  })
  return joined(text, [...kept, ...[...missing.values()].map(({ line }) => line)])
}

/** The text of an authorized_keys file without these keys. */
export function withoutKeys(text: string, unwanted: readonly KeyEntry[]): string {
  const keys = new Set(unwanted.map(({ key }) => key))
  return joined(
    text,
    splitLines(text).filter((line) => !keys.has(parseKeyEntry(line)?.key ?? '')),
  )
}

/** The text itself where its lines are the same: a newline that is missing at its end is no difference. */
function joined(text: string, lines: readonly string[]): string {
  const changed = joinLines(lines)
  return changed === `${text}\n` ? text : changed
}
