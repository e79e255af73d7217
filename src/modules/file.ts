import { createHash } from 'node:crypto'
import { InputError, TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import { Secret } from '../secrets/secret.ts'
import { attributesDiff, setAttributes, wantedAttributes } from './attributes.ts'
import { absolutePath, printed } from './check.ts'
import { unified } from './diff.ts'
import { look, parseLook, type Look } from './look.ts'
import { LARGE, textOf, write } from './write.ts'

export interface FileAttributes {
  /** A user's name or number. Default: `becomeUser`, which is `root`. */
  owner?: string
  /** A group's name or number. Default `root`; with `becomeUser`, left to the system. */
  group?: string
  /** Octal. Default `0644`. */
  mode?: string
  /** A command that fails if the new file, still under a temporary name, is no good; then nothing is replaced. */
  validate?: (candidate: Sh) => Sh
}

export interface FileOptions extends FileAttributes, Common {
  path: string
  /** A `Secret` never shows up in a diff. */
  content: string | Uint8Array | Secret
}

/**
 * A regular file with this content, owner and mode. Its directory has to be there; a symbolic link is replaced.
 *
 * Errors: the path is a directory, a device or the like; owner or group do not exist; `validate` fails.
 *
 * @see stat(1), rename(2)
 * @example
 * file({ path: '/etc/sudoers.d/pi', content: 'pi ALL=(ALL) ALL\n', mode: '0440', validate: (f) => sh`visudo -cf ${f}` })
 */
export function file(options: FileOptions): Resource {
  const { validate } = options
  const path = absolutePath(options.path)
  const attributes = wantedAttributes(options, '0644')
  const secret = options.content instanceof Secret
  const content = bytes(options.content)
  const text = secret || content.length > LARGE ? undefined : textOf(content)
  return resource(
    {
      title: `file ${path}`,
      probe: look(path, text === undefined ? 'hash' : 'text'),
      writes: path,
      plan(seen) {
        const found = replaceable(parseLook(printed(seen, path)), path)
        const same =
          found.size === content.length &&
          (text === undefined ? hashOf(found.rest) === hashed(content, options.content) : found.rest === text)
        const difference = found.kind === 'file' ? attributesDiff(found, attributes) : ''
        if (same && difference === '') return undefined
        if (same) return { diff: difference, apply: setAttributes(path, attributes) }
        const change =
          text === undefined
            ? summary(found, secret ? undefined : content.length)
            : textDiff(path, found, text)
        const diff = [difference, change].filter((part) => part !== '').join('\n')
        return { diff, ...write({ path, content, ...attributes, validate }) }
      },
    },
    options,
  )
}

/** Bytes are not copied: a large content may go to many hosts. */
function bytes(content: FileOptions['content']): Buffer {
  if (content instanceof Uint8Array)
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const plain = content instanceof Secret ? content.reveal() : content
  if (/\p{Surrogate}/u.test(plain)) {
    throw new InputError('the content holds half a character', {
      expected: 'text that can be written as UTF-8, or bytes',
      found: 'a lone surrogate, as is left where a text is cut within a character',
    })
  }
  return Buffer.from(plain)
}

/** Of the bytes that a playbook gave, which may be for many hosts. */
const hashes = new WeakMap<Uint8Array, string>()

/** BLAKE2b, which a small processor computes in half the time of SHA-256. */
function hashed(content: Buffer, given: FileOptions['content']): string {
  const known = given instanceof Uint8Array ? hashes.get(given) : undefined
  const hash = known ?? createHash('blake2b512').update(content).digest('hex')
  if (given instanceof Uint8Array) hashes.set(given, hash)
  return hash
}

function replaceable(found: Look, path: string): Look {
  if (found.kind !== 'directory' && found.kind !== 'other') return found
  throw new TaskError(`${path} is not a regular file`, {
    expected: 'a regular file, or nothing',
    found: found.kind === 'directory' ? 'a directory' : 'neither a file nor a directory',
    next: `remove it first, with absent({ path: ${JSON.stringify(path)} }), or choose another path`,
  })
}

function textDiff(path: string, found: Look, text: string): string {
  if (found.size > LARGE) return `- ${found.size} bytes\n+ ${Buffer.byteLength(text)} bytes`
  const before = found.kind === 'file' ? found.rest : undefined
  return (found.kind === 'link' ? `- a symbolic link\n` : '') + unified(path, before, text)
}

function summary(found: Look, size: number | undefined): string {
  const wanted = size === undefined ? '***' : `${size} bytes`
  if (found.kind !== 'file') return `- ${found.kind === 'link' ? 'a symbolic link' : 'absent'}\n+ ${wanted}`
  return `- ${size === undefined ? '***' : `${found.size} bytes`}\n+ ${size === found.size ? `${wanted} that differ` : wanted}`
}

/** b2sum puts a backslash before the hash of a file with an odd name. */
function hashOf(line: string): string {
  return /^\\?([0-9a-f]{128}) /.exec(line)?.[1] ?? ''
}
