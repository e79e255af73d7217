import type { BrambleError } from '../errors.ts'
import type { Cluster, Host } from '../inventory/types.ts'
import type { SwarmNode } from '../modules/swarm-nodes.ts'
import type { SwarmSeen } from '../stack/state.ts'
import type { Told } from './told.ts'

/** What came of asking a host. */
export type Asked = Told | BrambleError

/** Everything that the hosts told, before it is put together. */
export interface Answers {
  cluster: Pick<Cluster, 'settings' | 'hosts' | 'group'>
  /** The hosts that were asked. */
  asked: ReadonlyMap<Host, Asked>
  /** What the managers say, if one of them did. */
  swarm: SwarmSeen | undefined
}

export function gather(cluster: Answers['cluster'], asked: Answers['asked']): Answers {
  // Every manager says what the leader does, unless it is cut off.
  const swarm = [...asked.values()].flatMap((one) =>
    isTold(one) && one.swarm && 'nodes' in one.swarm ? [one.swarm] : [],
  )[0]
  return { cluster, asked, swarm }
}

export function isTold(asked: Asked | undefined): asked is Told {
  return asked !== undefined && 'machine' in asked
}

/** The hosts that answered, with what they told. */
export function told({ asked }: Pick<Answers, 'asked'>): [host: Host, told: Told][] {
  return [...asked].flatMap(([host, one]) => (isTold(one) ? [[host, one] as [Host, Told]] : []))
}

/** Why a host told nothing, in a line. */
export function reasonOf({ message, details: { found, stderr } }: BrambleError): string {
  const more = found ?? stderr?.trim().split('\n').at(-1)
  return more ? `${message}: ${more}` : message
}

/** The entry of a host in the swarm; one that it has left behind, by the same name, is not it. */
export function nodeOf({ asked, swarm }: Answers, host: Host): SwarmNode | undefined {
  const one = asked.get(host)
  const membership = isTold(one) ? one.membership : undefined
  const nodes = swarm?.nodes ?? []
  if (membership?.LocalNodeState === 'inactive') return undefined
  const id = membership?.NodeID
  if (id) return nodes.find((node) => node.ID === id)
  const named = nodes.filter((node) => node.Description.Hostname === host.name)
  return named.find((node) => node.Status.State !== 'down') ?? named[0]
}

/** A manager to run commands on: one that told of the swarm, else the first of the inventory. */
export function managerOf({ cluster, asked }: Answers): string {
  const managers = cluster.group('managers')
  const able = managers.find((host) => {
    const one = asked.get(host)
    return isTold(one) && one.swarm && 'nodes' in one.swarm
  })
  return (able ?? managers[0])?.name ?? 'managers'
}
