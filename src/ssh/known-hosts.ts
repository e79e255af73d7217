import { createHmac } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { BrambleError } from '../errors.ts'
import { keyType } from './fingerprint.ts'
import { matchesList } from './glob.ts'

/** A key that a known_hosts file has for a host. */
export interface KnownKey {
  revoked: boolean
  type: string
  key: string
  /** `FILE:LINE`. */
  at: string
}

/** `host`, or `[host]:port` where the port is not 22: how known_hosts names a server. */
export function hostId(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`
}

/**
 * The keys that a known_hosts file has for a host: plain, hashed (`|1|`), with globs, `@revoked`. Those of certificate
 * authorities are none of a host's. With `only` revocations, hashed lines cost nothing. A file that does not exist knows nobody.
 *
 * @see sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
 */
export function knownKeys(file: string, id: string, only: 'all' | 'revoked' = 'all'): KnownKey[] {
  return linesOf(file).flatMap(({ marker, hosts, type, key, at }) => {
    const revoked = marker === '@revoked'
    if (only === 'revoked' && !revoked) return []
    return marker !== '@cert-authority' && namesHost(hosts, id) ? [{ type, key, revoked, at }] : []
  })
}

type Line = NonNullable<ReturnType<typeof parseLine>> & { at: string }

/** What was read last of each file: a run asks the same ones about all of its hosts. */
const last = new Map<string, { stamp: string; lines: readonly Line[] }>()

function linesOf(file: string): readonly Line[] {
  try {
    const { ino, mtimeMs, size } = statSync(file)
    const stamp = `${ino} ${mtimeMs} ${size}`
    const known = last.get(file)
    if (known?.stamp === stamp) return known.lines
    const texts = readFileSync(file, 'utf8').split('\n')
    const lines = texts.flatMap((text, index) => {
      const line = parseLine(text)
      return line ? [{ ...line, at: `${file}:${index + 1}` }] : []
    })
    last.set(file, { stamp, lines })
    return lines
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new BrambleError('the known host keys cannot be read', {
      cause: error,
      at: file,
      found: message,
      next: 'Let known_hosts in the inventory name a file that you may read.',
    })
  }
}

/** The parts of a line; undefined for a comment, and for what OpenSSH would skip. */
export function parseLine(
  text: string,
): { marker: string | undefined; hosts: string; type: string; key: string } | undefined {
  const words = text.trim().split(/\s+/)
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined
  const [hosts, type, key] = words
  if (!hosts || hosts.startsWith('#') || !type || !key) return undefined
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined
  return { marker, hosts, type, key }
}

/** Whether the first word of a line means a host. */
export function namesHost(hosts: string, id: string): boolean {
  if (!hosts.startsWith('|1|')) return matchesList(hosts.split(','), [id], 'i')
  const [, , salt = '', hash] = hosts.split('|')
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(id.toLowerCase()).digest('base64') === hash
}

/** Adds a host's key to a known_hosts file, which is made (0600) if it is not there. Runs may do so side by side. */
export function addKnownKey(file: string, id: string, key: Buffer): void {
  mkdirSync(dirname(file), { recursive: true })
  appendLines(file, `${id.toLowerCase()} ${keyType(key)} ${key.toString('base64')}\n`)
}

/** Appends; where `replaceKnownKey` has put a new file in the place of this one meanwhile, to that one as well. */
export function appendLines(file: string, lines: string): void {
  for (;;) {
    const descriptor = openSync(file, 'a+', 0o600)
    try {
      const { size, ino } = fstatSync(descriptor)
      writeSync(descriptor, endsLine(descriptor, size) ? lines : `\n${lines}`)
      if (statSync(file, { throwIfNoEntry: false })?.ino === ino) return
    } finally {
      closeSync(descriptor)
    }
  }
}

function endsLine(descriptor: number, size: number): boolean {
  const last = Buffer.from('\n')
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1)
  return last.toString() === '\n'
}
