import { BrambleError } from '../errors.ts'
import { fingerprint, keyType } from './fingerprint.ts'
import { addKnownKey, hostId, knownKeys, type KnownKey } from './known-hosts.ts'
import type { Target } from './target.ts'

/** What is on record of a host, beside the key that it shows. */
export interface Standing {
  /** `same`: on record; `new`: nobody knows the host; `changed`: another key is on record. */
  is: 'same' | 'new' | 'changed' | 'revoked'
  /** The keys that are on record, or the one that revokes it. */
  records: readonly KnownKey[]
}

/**
 * Looks a key up: a revocation counts wherever it stands; else the project's file decides if it knows the host, and
 * the user's own files if not.
 */
export function standingOf(target: Target, key: Buffer): Standing {
  const id = nameInFiles(target)
  const presented = key.toString('base64')
  const own = knownKeys(target.knownHosts, id)
  const decides = own.some((record) => !record.revoked)
  const others = target.alsoKnown.flatMap((file) => knownKeys(file, id, decides ? 'revoked' : 'all'))
  const revoked = [...own, ...others].filter((record) => record.revoked && record.key === presented)
  if (revoked.length > 0) return { is: 'revoked', records: revoked }
  const records = (decides ? own : others).filter((record) => !record.revoked)
  if (records.length === 0) return { is: 'new', records }
  return { is: records.some((record) => record.key === presented) ? 'same' : 'changed', records }
}

/** The kinds of key that a host is known by: those of the file that decides. */
export function knownTypes(target: Target): string[] {
  return standingOf(target, Buffer.alloc(0)).records.map(({ type }) => type)
}

/** What known_hosts files call a host. */
export function nameInFiles({ host, port, hostKeyAlias }: Target): string {
  return hostKeyAlias ?? hostId(host, port)
}

/**
 * Judges a server's key as `ssh -o StrictHostKeyChecking=accept-new` does, or `=yes`: a key that is on record passes,
 * that of a host nobody knows yet is recorded and passes, another one does not. Returns the error that stops the host.
 */
export function checkHostKey(target: Target, key: Buffer): BrambleError | undefined {
  try {
    return judge(target, key)
  } catch (cause) {
    if (cause instanceof BrambleError) return cause
    const found = cause instanceof Error ? cause.message : String(cause)
    return new BrambleError('its host key cannot be looked up or recorded', {
      host: target.name,
      cause,
      found,
    })
  }
}

function judge(target: Target, key: Buffer): BrambleError | undefined {
  const { is, records } = standingOf(target, key)
  if (is === 'same') return undefined
  const details = { host: target.name, found: shown(key), ...(records[0] && { at: records[0].at }) }
  const trust = `bramble trust ${target.isJump ? 'HOST, with a host behind it,' : target.name}`
  if (is === 'revoked') return new BrambleError('its host key is revoked', details)
  if (is === 'changed') {
    return new BrambleError('its host key has changed', {
      ...details,
      expected: records.map(({ key: recorded }) => shown(Buffer.from(recorded, 'base64'))).join('\n'),
      next: `If it was reflashed, or its system installed anew: ${trust}\nIf not, somebody may be between you and it: do not go on.`,
    })
  }
  if (target.hostKeys === 'strict') {
    return new BrambleError('its host key is not known', {
      ...details,
      expected: `a line for ${nameInFiles(target)} in ${target.knownHosts}, as host_keys is strict`,
      next: `Compare the key with what the host's own screen says (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: ${trust}`,
    })
  }
  try {
    addKnownKey(target.knownHosts, nameInFiles(target), key)
  } catch (error) {
    // As OpenSSH does: a full disk here must not keep from the host.
    process.emitWarning(`the key of ${target.name} could not be recorded: ${String(error)}`)
  }
  return undefined
}

/** A key as messages show it. */
export function shown(key: Buffer): string {
  return `${keyType(key)} ${fingerprint(key)}`
}
