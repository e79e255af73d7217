import { TaskError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { Secret } from '../secrets/secret.ts'
import { dockerPost } from './docker.ts'
import { membership, readMembership, type Membership } from './membership.ts'
import { listen, managersOf, swarmFacts, untilActive } from './swarm-member.ts'
import { leaveByForce, swarmTrouble } from './swarm-trouble.ts'

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
 * A membership that is of no use to anybody is given up for a new one: a join that reaches nobody, and a certificate of
 * this swarm that has expired. What is left of the old one among the nodes, `ghostsRemoved()` takes away.
 *
 * Errors (TaskError): the host belongs to another swarm, has another address in this one, or is locked; each with the
 * commands that mend it. It never leaves a swarm that works.
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
        const joined = () => join(advertise, managers, token())
        const wanted = `+ a ${role} of the swarm of ${managers.join(', ')}`
        if (!swarm || swarm.LocalNodeState === 'inactive')
          return { diff: `- no swarm\n${wanted}`, apply: lines(joined(), untilActive()) }
        // One that has no certificate has never been in, wherever it wants to.
        if (swarm.LocalNodeState === 'pending' && swarm.NodeID === '')
          return {
            diff: `- joining since an earlier run\n${wanted}`,
            apply: sh`(
${untilActive(10)}
) 2>/dev/null || {
${lines(leave, joined(), untilActive())}
}`,
          }
        sameSwarm(swarm, [...managers, advertise], cluster?.())
        sameAddress(swarm, advertise)
        switch (swarm.LocalNodeState) {
          case 'active':
            return undefined
          case 'pending':
            // It may count among the managers, who would lose it.
            return { diff: '- joining since an earlier run\n+ joined', apply: untilActive() }
          case 'expired':
            return {
              diff: `- a member: ${swarm.Error}\n${wanted}`,
              apply: lines(leave, joined(), untilActive()),
            }
          default:
            throw swarmTrouble({ state: swarm.LocalNodeState, error: swarm.Error })
        }
      },
      facts: swarmFacts,
    },
    common,
  )
}

const leave = sh`docker swarm leave --force >/dev/null`

/** A slow machine's join may outlast the daemon's own patience of 20 s; it goes on in the background then. */
function join(advertise: string, managers: readonly string[], token: Secret): Sh {
  const body = {
    ListenAddr: listen,
    AdvertiseAddr: advertise,
    DataPathAddr: advertise,
    RemoteAddrs: managers.map((address) => `${address}:2377`),
    JoinToken: token.reveal(),
  }
  return sh`${dockerPost('/swarm/join', new Secret(JSON.stringify(body), { search: false }))} || :`
}

function sameSwarm(swarm: Membership, managers: readonly string[], cluster: string | undefined): void {
  const next = `if it shall belong to this cluster: ${leaveByForce('HOST')}\nthen bramble apply`
  const own = swarm.Cluster?.ID
  // A manager without a leader does not know it.
  if (own && cluster !== undefined && own !== cluster)
    throw new TaskError('this host is in another swarm', { expected: cluster, found: own, next })
  const known = managersOf(swarm)
  if (known.length > 0 && !known.some((address) => managers.includes(address)))
    throw new TaskError('this host is in a swarm with other managers', {
      expected: `one of ${managers.join(', ')} among its managers`,
      found: known.join(', '),
      next,
    })
}

/** The other nodes were told the old one, and go on using it. */
function sameAddress({ NodeAddr: found }: Membership, address: string): void {
  if (found === '' || found === address) return
  throw new TaskError('this host has another address than in the swarm', {
    expected: address,
    found,
    next: `take it out of the swarm while the others serve, and in again: bramble reset HOST
then bramble apply
where most of the managers have moved, or the only one: bramble reset
then bramble apply, which makes a new swarm and deploys the stack in it`,
  })
}
