import { isIPv4 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../errors.ts'
import type { Host } from './types.ts'
import { isHostname } from './values.ts'

/** A host to be added to an inventory. */
export interface NewHost {
  readonly name: string
  /** IPv4 address inside the cluster, which it is also reached at. */
  readonly address: string
  readonly groups: readonly string[]
}

/** @throws InputError for a name or an address that no host can have */
export function checkNew({ name, address }: NewHost): void {
  if (!isHostname(name) || isIPv4(name)) {
    throw new InputError(`\`${name}\` is no name for a host`, {
      expected: 'a host name such as rpi5: letters, digits, - and .',
    })
  }
  if (!isIPv4(address)) {
    throw new InputError(`\`${address}\` is no address for a host`, {
      expected: 'a static IPv4 address such as 192.168.188.15',
    })
  }
}

/**
 * @param belongs its groups, with those that they bring along
 * @throws InputError for a host that would be no manager and no worker, or both
 */
export function checkRole({ name, groups }: NewHost, belongs: ReadonlySet<string>): void {
  const roles = ['managers', 'workers'].filter((role) => belongs.has(role))
  if (roles.length === 1) return
  const problem = roles.length === 0 ? 'is neither manager nor worker' : 'cannot be both manager and worker'
  throw new InputError(`${name} ${problem}`, {
    expected: 'exactly one of managers and workers among its groups',
    found: groups.join(', ') || 'none',
  })
}

/** Whether a host has just this address and these groups. */
export function isLike(host: Host, address: string, groups: ReadonlySet<string>): boolean {
  return host.address === address && isDeepStrictEqual(new Set(host.groups), groups)
}

export function described({ address, groups }: Pick<Host, 'address' | 'groups'>): string {
  return `${address} in ${groups.filter((group) => group !== 'all').join(', ')}`
}

/** The error for a host that is there with another address or other groups. */
export function otherwise(host: NewHost, present: Host, at: string): InputError {
  return new InputError(`${host.name} is in the inventory already`, {
    at,
    expected: `${described(host)}, as asked for`,
    found: described(present),
    next: 'give the new one another name, or change this one by hand and then: bramble apply',
  })
}
