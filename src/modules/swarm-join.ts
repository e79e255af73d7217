import { TaskError } from '../errors.ts'
import { lines, sh } from '../playbook/sh.ts'
import { resource, type Change, type Common, type Resource } from '../playbook/resource.ts'
import { Secret } from '../secrets/secret.ts'
import { dockerPost, type DockerInfo } from './docker.ts'
import { membership, readMembership } from './membership.ts'
import { healthy, joinable, leave, listen, managersOf, swarmFacts, untilActive } from './swarm-member.ts'

export interface SwarmJoinOptions extends Common {
  role: 'manager' | 'worker'
  /** The host's own static address, never the virtual one. */
  advertise: string
  /** Addresses of managers, the reachable ones first. */
  managers: readonly string[]
  /** Called only when the host has to join. */
  token: () => Secret
  /** The swarm's id, if it is known: a manager of another swarm is found out by it. */
  cluster?: () => string | undefined
}

/**
 * A member of the swarm. A member is not asked which role it has: see `nodeRoles()`.
 * Facts: those of `swarmState()`.
 *
 * Errors (TaskError): the host belongs to another swarm, is locked, or its swarm has no leader. It never leaves
 * a swarm by itself.
 *
 * @see https://docs.docker.com/reference/cli/docker/swarm/join/
 * @example
 * swarmJoin({
 *   role: 'worker',
 *   advertise: '192.168.188.14',
 *   managers: ['192.168.188.11'],
 *   token: () => new Secret('SWMTKN-1-…'),
 * })
 */
export function swarmJoin(options: SwarmJoinOptions): Resource {
  const { role, advertise, managers, token, cluster, ...common } = options
  return resource(
    {
      title: `swarm ${role} ${advertise}`,
      probe: membership,
      settle: 60,
      plan(seen) {
        const swarm = readMembership(seen)
        if (swarm?.LocalNodeState === 'active') {
          healthy(swarm)
          sameSwarm(swarm, [...managers, advertise], cluster?.())
          return undefined
        }
        if (swarm?.LocalNodeState === 'pending')
          return { diff: '- joining since an earlier run\n+ joined', apply: untilActive }
        if (swarm) joinable(swarm)
        return join(role, advertise, managers, token())
      },
      facts: swarmFacts,
    },
    common,
  )
}

function join(role: string, advertise: string, managers: readonly string[], token: Secret): Change {
  const body = {
    ListenAddr: listen,
    AdvertiseAddr: advertise,
    DataPathAddr: advertise,
    RemoteAddrs: managers.map((address) => `${address}:2377`),
    JoinToken: token.reveal(),
  }
  // A slow machine's join may outlast the daemon's own patience of 20 s; it goes on in the background then.
  return {
    diff: `- no swarm\n+ a ${role} of the swarm of ${managers.join(', ')}`,
    apply: lines(
      sh`${dockerPost('/swarm/join', new Secret(JSON.stringify(body), { search: false }))} || :`,
      untilActive,
    ),
  }
}

function sameSwarm(
  swarm: DockerInfo['Swarm'],
  managers: readonly string[],
  cluster: string | undefined,
): void {
  const own = swarm.Cluster?.ID
  if (own !== undefined && cluster !== undefined && own !== cluster)
    throw new TaskError('this host is in another swarm', {
      expected: cluster,
      found: own,
      next: leave,
    })
  const known = managersOf(swarm)
  if (known.length > 0 && !known.some((address) => managers.includes(address)))
    throw new TaskError('this host is in a swarm with other managers', {
      expected: `one of ${managers.join(', ')} among its managers`,
      found: known.join(', '),
      next: leave,
    })
}
