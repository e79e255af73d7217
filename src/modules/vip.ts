import { TaskError } from '../errors.ts'
import { resource, type Common, type Facts, type Resource, type Seen } from '../playbook/resource.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { containersOf } from './docker.ts'

export interface BalancerReadyOptions extends Common {
  /** Name of the stack that Keepalived belongs to. */
  stack: string
  /** Port of HAProxy's health page. */
  healthPort: number
  /** Seconds that it may take. Default 0: nothing is waited for, it is only told. */
  timeout?: number
}

/**
 * A load balancer that could hold the virtual address: HAProxy has a web server to send requests to, and Keepalived is
 * in state BACKUP or MASTER. Facts: `balancer` (`ready`, or what is wrong).
 *
 * Errors: it is not ready when the time is over; with `timeout` 0 there are none.
 *
 * @see keepalived(8)
 * @example balancerReady({ stack: 'ha-stack', healthPort: 8405, timeout: 120 })
 */
export function balancerReady({ stack, healthPort, timeout = 0, ...common }: BalancerReadyOptions): Resource {
  return resource(
    {
      title: 'load balancer ready',
      probe: lines(
        sh`curl -s -o /dev/null -m 5 -w ${'%{http_code}\\n'} ${`http://127.0.0.1:${healthPort}/readyz`} || :`,
        keepalivedState(stack),
      ),
      settle: timeout,
      plan(seen) {
        const wrong = timeout > 0 ? problem(seen) : undefined
        return wrong === undefined ? undefined : { diff: `- ${wrong}\n+ ready`, apply: sh`:`, waits: true }
      },
      facts: (seen): Facts => ({ balancer: problem(seen) ?? 'ready' }),
    },
    common,
  )
}

function problem({ stdout }: Seen): string | undefined {
  const [code = '', last = ''] = stdout.split('\n')
  if (code !== '200') return code === '503' ? 'HAProxy sees no web server' : 'HAProxy does not answer'
  if (/BACKUP|MASTER/.test(last)) return undefined
  return last === '' ? 'Keepalived does not run' : `Keepalived: ${last}`
}

/**
 * Tells whether the virtual address is here. Facts: `holds_vip` (`true` or `false`).
 *
 * @see ip-address(8)
 * @example vipLook({ address: '192.168.188.200' })
 */
export function vipLook({ address }: { address: string }): Resource {
  return resource({
    title: `virtual IP ${address}`,
    probe: where(address),
    plan: () => undefined,
    facts: (seen): Facts => ({ holds_vip: String(isHere(seen, address)) }),
  })
}

function where(address: string): Sh {
  return sh`ip -4 -oneline address show to ${address}`
}

function isHere({ stdout }: Seen, address: string): boolean {
  return stdout.includes(` ${address}/`)
}

export interface VipReleasedOptions extends Common {
  /** The virtual address. */
  address: string
  /** Name of the stack that Keepalived belongs to. */
  stack: string
  /** What is known of the other load balancers: their fact `balancer`, by name. */
  others: Readonly<Record<string, string>>
}

/**
 * A load balancer that does not hold the virtual address. If it does, another one takes it over: its Keepalived is asked
 * to end, and hands the address over as its image does it, `templates/keepalived/docker-entrypoint.sh`: new connections
 * wait for about a second at most, and requests under way are still answered. Only an answer of more than some 14 kB
 * that is still being sent after 0.3 s is cut. The swarm starts it again as BACKUP, so a preferred one takes the address
 * back after `vip.preempt_delay`.
 *
 * Errors (TaskError): no other load balancer is ready to take it.
 *
 * @see RFC 9568, 5.2.4 on priority 0
 * @example vipReleased({ address: '192.168.188.200', stack: 'ha-stack', others: { rpi2: 'ready' } })
 */
export function vipReleased({ address, stack, others, ...common }: VipReleasedOptions): Resource {
  return resource(
    {
      title: `virtual IP ${address} held elsewhere`,
      probe: where(address),
      settle: 15,
      plan(seen) {
        if (!isHere(seen, address)) return undefined
        if (!Object.values(others).includes('ready')) {
          const found = Object.entries(others).map(([name, state]) => `${name}: ${state}`)
          throw new TaskError('no other load balancer is ready to take the virtual address', {
            expected: 'another load balancer whose HAProxy and Keepalived run',
            found: found.join('\n') || 'this is the only load balancer in the run',
            next: 'bramble status shows what is wrong; mend it with bramble apply, then run this again',
          })
        }
        return {
          diff: `- ${address} is here\n+ ${address} is elsewhere`,
          apply: sh`id=$(${containersOf(stack, 'keepalived')})
[ -n "$id" ] || { echo 'Keepalived does not run here' >&2; exit 1; }
docker kill --signal TERM "$id" >/dev/null
timeout 20 docker wait "$id" >/dev/null`,
        }
      },
    },
    { ...common, timeout: 60 },
  )
}

/**
 * Prints the last state that the Keepalived of a stack has told of here, such as `Entering BACKUP STATE`; nothing where
 * none runs.
 *
 * @example keepalivedState('ha-stack').text.includes('ha-stack_keepalived')
 */
export function keepalivedState(stack: string): Sh {
  return sh`id=$(${containersOf(stack, 'keepalived')}) && [ -z "$id" ] || docker logs --tail 200 "$id" 2>&1 | grep -o ${'Entering [A-Z]* STATE'} | tail -n 1`
}
