import { createHash } from 'node:crypto'
import { BrambleError } from '../errors.ts'
import { addKnownKey, hostId, keyType, knownKeys } from './known-hosts.ts'

/**
 * Judges a server's key as `ssh -o StrictHostKeyChecking=accept-new` does: a key that is on record passes, that
 * of a host nobody knows yet is recorded and passes, another one does not. Returns the error that stops the host.
 */
export function judgeHostKey(
  file: string,
  name: string,
  address: { host: string; port: number },
  key: Buffer,
): BrambleError | undefined {
  const known = knownKeys(file, address.host, address.port)
  const presented = key.toString('base64')
  if (known.some((entry) => entry.revoked && entry.key === presented)) {
    return new BrambleError('its host key is revoked', { host: name, found: fingerprint(key), at: file })
  }
  const valid = known.filter((entry) => !entry.revoked)
  if (valid.some((entry) => entry.key === presented)) return undefined
  if (valid.length === 0) {
    try {
      addKnownKey(file, address.host, address.port, key)
    } catch (error) {
      // As OpenSSH does: a full disk here must not keep from the host.
      process.emitWarning(`the key of ${name} could not be recorded: ${String(error)}`)
    }
    return undefined
  }
  return new BrambleError('its host key has changed', {
    host: name,
    at: file,
    expected: valid
      .map((entry) => `${entry.type} ${fingerprint(Buffer.from(entry.key, 'base64'))}`)
      .join('\n'),
    found: `${keyType(key)} ${fingerprint(key)}`,
    next:
      `If ${name} was reflashed, drop its old key: ssh-keygen -f ${file} -R '${hostId(address.host, address.port)}'\n` +
      'If not, somebody may be between you and it: do not go on.',
  })
}

function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
