import { sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource, type Seen } from '../playbook/resource.ts'
import { fail } from './preflight.ts'

export interface RoutesOptions extends Common {
  /** Addresses of the other machines. */
  peers: readonly string[]
  /** TCP ports. Default 22, 2377 and 7946 of the swarm, 2049 of NFS. */
  ports?: readonly number[]
  /** The machine's own address, for messages. */
  from: string
}

/**
 * Machines that reach each other, before they join; a member of a swarm is not asked again. A refused connection
 * shows a route as well as an accepted one, so a firewall that answers like a port without a service is not noticed.
 * UDP (7946, 4789) cannot be asked this way.
 *
 * Errors (TaskError): which connections got no answer within 3 s, or were prohibited on the way.
 *
 * @see https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
 * @example routes({ from: '192.168.188.11', peers: ['192.168.188.12'], ports: [22, 2377] })
 */
export function routes({ peers, ports = [22, 2377, 7946, 2049], from, ...common }: RoutesOptions): Resource {
  const targets = peers.flatMap((peer) => ports.map((port) => `${peer}/${port}`))
  return resource(
    {
      title: 'routes to the other machines',
      probe: sh`if [ -e /var/lib/docker/swarm/docker-state.json ]; then echo member; else LC_ALL=C bash -c ${connect} routes ${targets} 2>&1; fi`,
      plan(seen) {
        if (seen.stdout.trim() !== 'member')
          fail(blocked(seen, from, targets), 'other machines cannot be reached')
        return undefined
      },
    },
    common,
  )
}

// A child for each target, in parallel; those that still wait after 3 s are ended and have printed nothing. The
// sleep must not hold the output open after its parent has been ended.
const connect = `for target; do
  { : <"/dev/tcp/$target" && echo "/dev/tcp/$target: open"; } &
  children="$children $!"
done
{ sleep 3; kill $children; } >/dev/null 2>&1 &
watch=$!
wait $children
kill $watch 2>/dev/null`

function blocked(seen: Seen, from: string, targets: readonly string[]): string[] {
  const answers = new Map<string, string>()
  for (const match of seen.stdout.matchAll(/\/dev\/tcp\/([\d.]+\/\d+): (.+)/g))
    answers.set(match[1] ?? '', match[2] ?? '')
  return targets.flatMap((target) => {
    const answer = answers.get(target) ?? 'no answer within 3 s'
    if (answer === 'open' || answer === 'Connection refused') return []
    return [
      `${from} → ${target.replace('/', ':')}: ${answer}; let the cluster's machines through the firewall, and check cable and address`,
    ]
  })
}
