import type { Cluster, Host } from '../inventory/types.ts'
import { parseJson } from '../modules/docker.ts'
import { nodeCertificate, readMembership, type Membership } from '../modules/membership.ts'
import type { Seen } from '../playbook/resource.ts'
import { readSwarm, type SwarmSeen } from '../stack/state.ts'
import { readStatistics } from './haproxy.ts'
import { readMachine, type Machine } from './machine.ts'
import { dockerQuestions, readParts, shareOf, type Part } from './probe.ts'
import type { ServerStatus } from './types.ts'

/** What a host told, read. */
export interface Told {
  machine: Machine
  /** When, by the clock here, in milliseconds since 1970. */
  answered: number
  daemon: 'answers' | 'hangs' | 'off'
  /** Its place in the swarm, as it sees it. */
  membership: Membership | undefined
  certificate: { from: string; until: string } | null
  /** A manager's: the swarm, and the stack in it; else why it told nothing. */
  swarm: SwarmSeen | { error: string } | undefined
  /** A load balancer's. */
  haproxy: { servers: ServerStatus[] } | { error: string } | undefined
}

const nothing: Seen = { code: 1, stdout: '' }

/** Reads what `statusProbe` printed. */
export function readTold(
  cluster: Pick<Cluster, 'settings' | 'group'>,
  host: Host,
  { stdout, answered = Date.now() }: Seen,
): Told {
  const parts = readParts(stdout)
  const of = (part: Part): Seen => ({ ...(parts[part] ?? nothing), answered })
  const docker = of('docker')
  // The seconds decide nothing of how it is read.
  const [ping, stack] = dockerQuestions(cluster, host, 1).read([docker])
  return {
    machine: readMachine(of('machine').stdout, shareOf(cluster, host)),
    answered,
    daemon: daemonOf(ping, docker),
    membership: readMembership(of('member')),
    certificate: certificateOf(of('member')),
    swarm: host.in('managers') ? swarmOf(docker, stack) : undefined,
    haproxy: host.in('loadbalancers') ? haproxyOf(of('haproxy'), answered) : undefined,
  }
}

function daemonOf(ping: Seen | undefined, { code }: Seen): Told['daemon'] {
  if (ping?.stdout.trim() === 'OK') return 'answers'
  return code === 28 ? 'hangs' : 'off'
}

function certificateOf(seen: Seen): Told['certificate'] {
  const certificate = nodeCertificate(seen)
  return certificate
    ? { from: iso(Date.parse(certificate.validFrom)), until: iso(Date.parse(certificate.validTo)) }
    : null
}

function swarmOf(docker: Seen, stack: Seen | undefined): SwarmSeen | { error: string } {
  const seen = stack && readSwarm(stack)
  if (seen) return seen
  for (const line of docker.stdout.split('\n')) {
    const answer = parseJson(line)
    if (typeof answer === 'object' && answer !== null && 'message' in answer) {
      return { error: String(answer.message) }
    }
  }
  return { error: docker.code === 28 ? 'it does not answer in time' : 'Docker tells nothing of it' }
}

function haproxyOf({ code, stdout }: Seen, now: number): Told['haproxy'] {
  const servers = code === 0 ? readStatistics(stdout, now) : undefined
  if (servers) return { servers }
  if (code === 0 || code === 22) return { error: 'it has no statistics at /stats' }
  return { error: stdout.trim().replace(/^curl: \(\d+\) /, '') || 'no answer' }
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
