import { existsSync, readFileSync } from 'node:fs'
import ssh2, { type ParsedKey } from 'ssh2'
import { ConnectionError, InputError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'

/** A file with a private key, or with a public one whose private half only an agent has. */
export interface KeyFile {
  path: string
  /** What is offered to servers; undefined where it cannot be read without the passphrase. */
  public: ParsedKey | undefined
  /** What signs; undefined as long as nobody has given the passphrase, and for a public key. */
  private: ParsedKey | undefined
  /** Why there is no private key: it needs a passphrase. */
  locked: boolean
}

/** Files as read, each once: to decrypt one takes a good part of a second. */
const files = new Map<string, KeyFile>()

/**
 * Reads a key; undefined when the file is not there.
 *
 * Errors: ConnectionError when it cannot be read or is in a format that is not known.
 */
export function readKeyFile(path: string): KeyFile | undefined {
  const known = files.get(path)
  if (known || !existsSync(path)) return known
  const text = readKey(path)
  const parsed = single(ssh2.utils.parseKey(text))
  const locked = parsed instanceof Error && /passphrase/i.test(parsed.message)
  if (parsed instanceof Error && !locked) throw unreadable(path, parsed)
  const whole = parsed instanceof Error ? undefined : parsed
  const file = {
    path,
    public: whole ?? publicPart(text) ?? publicFile(`${path}.pub`),
    private: whole?.isPrivateKey() ? whole : undefined,
    locked,
  }
  files.set(path, file)
  return file
}

/**
 * Opens a key that is protected by a passphrase, for the rest of the process.
 *
 * Errors: InputError when it is the wrong one; `from` tells where it came from.
 */
export function openKeyFile(file: KeyFile, passphrase: Secret, from: string): void {
  const parsed = single(ssh2.utils.parseKey(readKey(file.path), passphrase.reveal()))
  if (parsed instanceof Error) {
    throw new InputError(`the passphrase does not open the private key ${file.path}`, {
      found: from,
      next: `Try it: ssh-keygen -y -f ${file.path}`,
    })
  }
  file.public = parsed
  file.private = parsed
  file.locked = false
}

/** A key that shall be used and is locked. */
export function lockedKey(path: string): { message: string; next: string } {
  return {
    message: `the private key ${path} is protected by a passphrase`,
    next: `Give it to your agent: ssh-add ${path}\nOr set BRAMBLE_KEY_PASSPHRASE, or run bramble in a terminal, where it asks.`,
  }
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): ConnectionError {
  return new ConnectionError(`cannot read the private key ${path}`, {
    cause,
    found: cause instanceof Error ? cause.message : String(cause),
    next: 'Name the right file in ansible_ssh_private_key_file, or in IdentityFile of ~/.ssh/config.',
  })
}

function single(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error {
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('it holds no key')) : parsed
}

function publicFile(path: string): ParsedKey | undefined {
  return existsSync(path) ? valid(ssh2.utils.parseKey(readKey(path))) : undefined
}

/** The public half of a key in OpenSSH's own format, which is never encrypted (PROTOCOL.key of OpenSSH). */
function publicPart(text: string): ParsedKey | undefined {
  const [, encoded] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text) ?? []
  if (encoded === undefined) return undefined
  const blob = Buffer.from(encoded, 'base64')
  // The magic, then the cipher, the key derivation and its options, the number of keys, the first public key.
  let at = 'openssh-key-v1\0'.length
  for (let skipped = 0; skipped < 3; skipped++) at += 4 + blob.readUInt32BE(at)
  at += 4
  return valid(ssh2.utils.parseKey(blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at))))
}

function valid(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | undefined {
  const key = single(parsed)
  return key instanceof Error ? undefined : key
}
