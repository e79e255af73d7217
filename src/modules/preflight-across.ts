import { raw } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { fail } from './preflight.ts'

/** What `preflight()` told of a host; only what is known. */
export interface Told {
  machine_id?: string
  clock_offset?: string
  addresses?: string
}

export interface PreflightAcrossOptions extends Common {
  host: string
  /** What `preflight()` told of each host, by name. */
  hosts: Readonly<Record<string, Told>>
  /** Seconds that a clock may be off. Default 30. */
  maxClockSkew?: number
  /** The virtual address: only load balancers may hold it. */
  vip?: { address: string; holders: readonly string[] }
}

/**
 * Machines that do not clash; to be run in a play after `preflight()`. Nothing is ever changed.
 *
 * Errors (TaskError): a clock off the median; a machine-id or an address that another machine has too; the virtual
 * address on a machine that is no load balancer.
 *
 * @example preflightAcross({ host: 'rpi1', hosts: { rpi1: { clock_offset: '0' }, rpi2: { clock_offset: '1' } } })
 */
export function preflightAcross({
  host,
  hosts,
  maxClockSkew = 30,
  vip,
  ...common
}: PreflightAcrossOptions): Resource {
  return resource(
    {
      title: 'preflight across hosts',
      probe: raw(':'),
      plan() {
        fail(clashes(host, hosts, maxClockSkew, vip), 'this machine does not fit with the others')
        return undefined
      },
    },
    common,
  )
}

function clashes(
  host: string,
  hosts: PreflightAcrossOptions['hosts'],
  maxClockSkew: number,
  vip: PreflightAcrossOptions['vip'],
): string[] {
  const own = hosts[host]
  if (!own) return []
  const others = Object.entries(hosts).filter(([name]) => name !== host)
  const addresses = words(own.addresses)
  const problems: string[] = []
  // This computer's clock has a vote too: with one host or two there would be no telling which clock is wrong.
  const offsets = Object.values(hosts).flatMap(({ clock_offset }) =>
    clock_offset === undefined ? [] : [Number(clock_offset)],
  )
  const skew = Math.round(Number(own.clock_offset ?? 0) - median([...offsets, 0]))
  if (own.clock_offset !== undefined && Math.abs(skew) > maxClockSkew)
    problems.push(
      `the clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead of' : 'behind'} the others, this computer’s among them: set up time synchronisation (\`timedatectl set-ntp true\`)`,
    )
  for (const [name, other] of others) {
    if (own.machine_id && own.machine_id === other.machine_id)
      problems.push(
        `${name} has the same machine-id: on one of them run \`rm /etc/machine-id && systemd-machine-id-setup\` and reboot, or correct an address that leads to the same machine`,
      )
    const shared = addresses.filter(
      (address) => address !== vip?.address && words(other.addresses).includes(address),
    )
    if (shared.length > 0)
      problems.push(`${name} has the address ${shared.join(', ')} too: give each machine its own`)
  }
  if (vip && addresses.includes(vip.address) && !vip.holders.includes(host))
    problems.push(
      `it holds the virtual address ${vip.address} and is no load balancer: choose another vip.address`,
    )
  return problems
}

/** Of two in the middle, the one that is nearer to this computer's: what is half way between two clocks, none of them says. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return Math.abs(low) <= Math.abs(high) ? low : high
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(Boolean) ?? []
}
