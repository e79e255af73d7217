import { createHash } from 'node:crypto'

/** A public key's fingerprint, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The algorithm's name at the head of a public key (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  return key.toString('ascii', 4, 4 + key.readUInt32BE(0))
}
