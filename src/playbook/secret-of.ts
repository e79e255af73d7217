import { InputError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { Secret } from '../secrets/secret.ts'

/**
 * A variable of your own, below `extra:` in the inventory, as a secret: one that is written `!secret NAME`, or plain
 * text that is to be treated like one.
 *
 * Errors: InputError when the host has no such variable, or it is no text.
 *
 * @example
 * export const database = play({
 *   name: 'database',
 *   hosts: 'rpi4',
 *   *tasks(host) {
 *     yield file({ path: '/etc/db-password', content: secretOf(host, 'db_password'), mode: '0600' })
 *   },
 * })
 */
export function secretOf(host: Host, name: string): Secret {
  const value = host.extra[name]
  if (value instanceof Secret) return value
  if (typeof value === 'string' && value !== '') return new Secret(value)
  throw new InputError(`${host.name} has no secret \`${name}\``, {
    expected: `${name}: !secret NAME below extra: in the inventory`,
    found: value === undefined ? 'no such variable' : 'something that is no text',
    next: 'bramble secret list tells the names there are',
  })
}
