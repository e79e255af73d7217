import { createHmac } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { BrambleError } from '../errors.ts'
import { starred } from '../glob.ts'

export interface KnownHost {
  hosts: string
  revoked: boolean
  type: string
  key: string
}

/** `host`, or `[host]:port` where the port is not 22: how known_hosts names a server. */
export function hostId(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`
}

/**
 * The entries of a known_hosts file that speak of a host: plain, hashed (`|1|`), with globs, `@revoked`.
 * A file that does not exist knows nobody.
 *
 * @see sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
 */
export function knownKeys(file: string, host: string, port: number): KnownHost[] {
  const id = hostId(host, port)
  return entriesOf(file).filter((entry) => matches(entry.hosts, id))
}

/** Adds a host's key to a known_hosts file, which is made (0600) if it is not there. */
export function addKnownKey(file: string, host: string, port: number, key: Buffer): void {
  mkdirSync(dirname(file), { recursive: true })
  appendFileSync(file, `${hostId(host, port)} ${keyType(key)} ${key.toString('base64')}\n`, { mode: 0o600 })
}

/** The algorithm's name at the head of a public key (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  return key.toString('ascii', 4, 4 + key.readUInt32BE(0))
}

/** What was read last: a run asks the same file about each of its hosts. */
let last: { file: string; stamp: string; entries: KnownHost[] } | undefined

function entriesOf(file: string): KnownHost[] {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) return []
  const stamp = `${stat.ino} ${stat.mtimeMs} ${stat.size}`
  if (last?.file !== file || last.stamp !== stamp) {
    const entries = readLines(file)
      .map(parseLine)
      .filter((entry) => entry !== undefined)
    last = { file, stamp, entries }
  }
  return last.entries
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    throw new BrambleError('the known host keys cannot be read', {
      cause: error,
      at: file,
      found: (error as Error).message,
      next: 'Let known_hosts in the inventory name a file that you may read.',
    })
  }
}

function parseLine(line: string): KnownHost | undefined {
  const words = line.trim().split(/\s+/)
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [hosts, type, key] = words
  if (!hosts || hosts.startsWith('#') || !type || !key || marker === '@cert-authority') return undefined
  return { hosts, type, key, revoked: marker === '@revoked' }
}

function matches(hosts: string, id: string): boolean {
  if (hosts.startsWith('|1|')) {
    const [, , salt = '', hash] = hosts.split('|')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(id).digest('base64') === hash
  }
  const patterns = hosts.split(',')
  const negated = patterns.some((pattern) => pattern.startsWith('!') && glob(pattern.slice(1), id))
  return !negated && patterns.some((pattern) => glob(pattern, id))
}

function glob(pattern: string, text: string): boolean {
  // The usual case first: with one line for each of many hosts, and as many hosts to look up, it counts.
  if (!/[*?]/.test(pattern)) return pattern.toLowerCase() === text.toLowerCase()
  const escaped = pattern.replace(/[\\^$.|+()[\]{}]/g, String.raw`\$&`).replaceAll('?', '.')
  return new RegExp(starred(escaped.split('*')), 'i').test(text)
}
