import type { Host } from '../inventory/types.ts'
import type { SwarmNode } from '../modules/swarm-nodes.ts'
import { serviceStates } from '../stack/convergence.ts'
import { addressesOf, gather, isTold, nodeOf, reasonOf, told, type Answers, type Asked } from './answers.ts'
import type { Commands } from './commands.ts'
import { problemsOf } from './problems.ts'
import type { Told } from './told.ts'
import type { BalancerStatus, ClusterStatus, NodeStatus } from './types.ts'

/** The cluster as its hosts tell of it. `now` in milliseconds since 1970. */
export function clusterStatus(
  cluster: Answers['cluster'],
  asked: Answers['asked'],
  commands: Commands,
  now: number,
): ClusterStatus {
  const { vip, stack } = cluster.settings
  const answers = gather(cluster, asked)
  const holders = told(answers).filter(([, one]) =>
    addressesOf(one).some(([, address]) => address === vip.address),
  )
  const status = {
    time: new Date(now).toISOString(),
    stack: stack.name,
    vip: { address: vip.address, holders: holders.map(([host]) => host.name) },
    nodes: [...asked].map(([host, one]) => nodeStatus(host, one, nodeOf(answers, host))),
    services: answers.swarm ? serviceStates(stack.name, answers.swarm).toSorted(byName) : null,
    balancers: [...asked].flatMap(([host, one]) => balancerStatus(host, one)),
  }
  const problems = problemsOf({ answers, status, commands, now })
  return { ok: problems.length === 0, ...status, problems }
}

/** The swarm tells services in the order of their ids, which each deploy of a new stack changes. */
function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1
}

function nodeStatus(host: Host, asked: Asked, node: SwarmNode | undefined): NodeStatus {
  const one = isTold(asked) ? asked : undefined
  return {
    name: host.name,
    address: host.address,
    reachable: one !== undefined,
    error: isTold(asked) ? null : reasonOf(asked),
    ...place(node),
    ...machine(one),
    certificate: one?.certificate ?? null,
    share: one?.share ?? null,
    content: one?.content ?? null,
  }
}

/** What the managers say of it. */
function place(node: SwarmNode | undefined) {
  return {
    role: node?.Spec.Role ?? null,
    leader: node ? node.ManagerStatus?.Leader === true : null,
    availability: node?.Spec.Availability ?? null,
    state: node?.Status.State ?? null,
  }
}

/** What it says of itself. */
function machine(one: Told | undefined) {
  const fact = (name: string): string | null => {
    const value = one?.facts[name]
    return typeof value === 'string' ? value : null
  }
  const number = (name: string): number | null => {
    const value = fact(name)
    return value === null || !Number.isFinite(Number(value)) ? null : Number(value)
  }
  const uptime = number('uptime_s')
  return {
    load: number('load'),
    temperature_c: number('temperature_c'),
    up_since: one && uptime !== null ? new Date(one.answered - uptime * 1000).toISOString() : null,
    disk_free_mb: number('disk_free_mb'),
    clock_offset_s: number('clock_offset'),
    os: fact('os'),
    kernel: fact('kernel'),
    // Debian's 20.10.24+dfsg1-1 and Docker's 5:27.3.1-1~debian are 20.10.24 and 27.3.1.
    docker: fact('docker')?.replace(/^\d+:|[-+~].*/g, '') ?? null,
  }
}

function balancerStatus(host: Host, asked: Asked): BalancerStatus[] {
  if (!host.in('loadbalancers')) return []
  const haproxy = isTold(asked) ? asked.haproxy : { error: 'it cannot be reached' }
  if (haproxy && 'servers' in haproxy) return [{ name: host.name, error: null, servers: haproxy.servers }]
  return [{ name: host.name, error: haproxy?.error ?? 'no answer', servers: [] }]
}
