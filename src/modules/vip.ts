import { TaskError } from '../errors.ts'
import { resource, type Common, type Facts, type Resource, type Seen } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
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

export interface VipReleasedOptions extends Common {
  /** The virtual address. */
  address: string
  /** Port of the site. */
  port: number
  /** Name of the stack that Keepalived belongs to. */
  stack: string
  /** What is known of the other load balancers: their fact `balancer`, by name. */
  others: Readonly<Record<string, string>>
}

/**
 * A load balancer that does not hold the virtual address. If it does, another one takes it over: new connections wait
 * for about a second at most, requests under way are still answered, and Keepalived says goodbye before it goes. Only an
 * answer of more than some 14 kB that is still being sent after 0.3 s is cut. It is started again as BACKUP, so a
 * preferred one takes the address back after `vip.preempt_delay`.
 *
 * Errors (TaskError): no other load balancer is ready to take it.
 *
 * @see RFC 9568, 5.2.4 on priority 0
 * @example
 * vipReleased({ address: '192.168.188.200', port: 80, stack: 'ha-stack', others: { rpi2: 'ready' } })
 */
export function vipReleased({ address, port, stack, others, ...common }: VipReleasedOptions): Resource {
  return resource(
    {
      title: `virtual IP ${address} held elsewhere`,
      probe: sh`ip -4 -oneline address show to ${address}`,
      settle: 15,
      plan(seen) {
        if (!seen.stdout.includes(` ${address}/`)) return undefined
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
          apply: release(address, port, stack),
        }
      },
    },
    { ...common, timeout: 60 },
  )
}

/**
 * A client repeats a connection request that got no answer after a second; one that is refused, or whose connection
 * moves to a machine that knows nothing of it, fails. So requests are dropped while those that have just been accepted
 * send what they ask for. An answer that comes after the move is still sent, as HAProxy binds `transparent`; only one
 * that is so long that its client has to confirm parts of it is cut. What takes long is asked before, and nothing is
 * asked meanwhile: a look at the connections takes an emulated Pi half as long as the wait. All is over within that
 * second, or the repeated request would be dropped, too, and the next one comes after three. The rule must not outlive
 * this script, however it ends: it would cut the site off when the address comes back.
 */
function release(address: string, port: number, stack: string): Sh {
  const rule = ['INPUT', '-d', address, '-p', 'tcp', '--syn', '--dport', port, '-j', 'DROP']
  return lines(
    sh`id=$(${containersOf(stack, 'keepalived')})
[ -n "$id" ] || { echo 'Keepalived does not run here' >&2; exit 1; }
pid=$(docker inspect --format '{{.State.Pid}}' "$id") || exit 1
admit() { iptables -w -D ${rule} 2>/dev/null || :; }
held() { ip -4 -oneline address show to ${address} | grep -q .; }`,
    raw(`(sleep 20; admit) </dev/null >/dev/null 2>&1 &
trap admit EXIT`),
    sh`iptables -w -I ${rule}`,
    raw(`sleep 0.3
kill -TERM "$pid"
tries=0
while held && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
admit`),
    // Or it would still pass for one that is ready to take the address over.
    sh`timeout 10 docker wait "$id" >/dev/null || :`,
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
