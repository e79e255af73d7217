import type { Host } from '../inventory/types.ts'
import type { SwarmNode } from '../modules/swarm-nodes.ts'
import { serviceStates } from '../stack/convergence.ts'
import { gather, isTold, nodeOf, reasonOf, told, type Answers, type Asked } from './answers.ts'
import type { Commands } from './commands.ts'
import { readMachine } from './machine.ts'
import { problemsOf } from './problems.ts'
import type { Told } from './told.ts'
import type { BalancerStatus, ClusterStatus, NodeStatus } from './types.ts'

const nothing = readMachine('', undefined)

/** The cluster as its hosts tell of it. `now` in milliseconds since 1970. */
export function clusterStatus(
  cluster: Answers['cluster'],
  asked: Answers['asked'],
  commands: Commands,
  now: number,
): ClusterStatus {
  const { vip, stack } = cluster.settings
  const answers = gather(cluster, asked)
  const holders = told(answers).filter(([, { machine }]) => machine.vip !== null)
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
    ...itself(one),
  }
}

/** What the managers say of it. */
function place(node: SwarmNode | undefined) {
  return {
    role: node?.Spec.Role ?? null,
    leader: node ? node.ManagerStatus?.Leader === true : null,
    availability: node?.Spec.Availability ?? null,
    state: node?.Status.State ?? null,
    // Debian's is 20.10.24+dfsg1.
    docker: node?.Description.Engine?.EngineVersion?.replace(/[-+~].*/, '') ?? null,
  }
}

/** What it says of itself. */
function itself(one: Told | undefined) {
  const { uptime_s: uptime, clock, ...machine } = one?.machine ?? nothing
  const answered = one?.answered ?? 0
  const { load, temperature_c, disk_free_mb, os, kernel, share, content } = machine
  return {
    load,
    temperature_c,
    up_since: uptime === null ? null : new Date(answered - uptime * 1000).toISOString(),
    disk_free_mb,
    clock_offset_s: clock === null ? null : Math.round(clock - answered / 1000),
    os,
    kernel,
    certificate: one?.certificate ?? null,
    share,
    content,
  }
}

function balancerStatus(host: Host, asked: Asked): BalancerStatus[] {
  if (!host.in('loadbalancers')) return []
  const haproxy = isTold(asked) ? asked.haproxy : { error: 'it cannot be reached' }
  if (haproxy && 'servers' in haproxy) return [{ name: host.name, error: null, servers: haproxy.servers }]
  return [{ name: host.name, error: haproxy?.error ?? 'no answer', servers: [] }]
}
