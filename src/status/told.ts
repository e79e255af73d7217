import { TaskError } from '../errors.ts'
import type { Cluster, Host } from '../inventory/types.ts'
import { parseJson, type DockerInfo } from '../modules/docker.ts'
import { machineFacts } from '../modules/machine-facts.ts'
import { nodeCertificate, readMembership } from '../modules/membership.ts'
import type { Facts, Seen } from '../playbook/resource.ts'
import { readStack, type StackSeen } from '../stack/state.ts'
import { readStatistics } from './haproxy.ts'
import { dockerQuestions, readParts, type Part } from './probe.ts'
import type { Content, ServerStatus, Share } from './types.ts'

/** What a host told, read. */
export interface Told {
  facts: Facts
  /** When, by the clock here, in milliseconds since 1970. */
  answered: number
  daemon: 'answers' | 'hangs' | 'off'
  /** Its place in the swarm, as it sees it. */
  membership: DockerInfo['Swarm'] | undefined
  certificate: { from: string; until: string } | null
  /** A manager's: the swarm, and the stack in it; else why it told nothing. */
  swarm: StackSeen | { error: string } | undefined
  share: Share | null
  content: Content | null
  /** A load balancer's. */
  haproxy: { servers: ServerStatus[] } | { error: string } | undefined
}

const nothing: Seen = { code: 1, stdout: '' }

/** Reads what `statusProbe` printed. */
export function readTold(
  cluster: Pick<Cluster, 'settings'>,
  host: Host,
  { stdout, answered = Date.now() }: Seen,
): Told {
  const parts = readParts(stdout)
  const of = (part: Part): Seen => ({ ...(parts[part] ?? nothing), answered })
  const docker = of('docker')
  // The seconds decide nothing of how it is read.
  const [ping, stack] = dockerQuestions(cluster, host, 1).read([docker])
  return {
    facts: machineFacts().facts?.(of('machine')) ?? {},
    answered,
    daemon: daemonOf(ping, docker),
    membership: membershipOf(of('member')),
    certificate: certificateOf(of('member')),
    swarm: host.in('managers') ? swarmOf(docker, stack) : undefined,
    share: host.in('webservers') ? shareOf(cluster.settings.nfs.mount, of('share')) : null,
    content: contentOf(of('content')),
    haproxy: host.in('loadbalancers') ? haproxyOf(of('haproxy'), answered) : undefined,
  }
}

function daemonOf(ping: Seen | undefined, { code }: Seen): Told['daemon'] {
  if (ping?.stdout.trim() === 'OK') return 'answers'
  return code === 28 ? 'hangs' : 'off'
}

function membershipOf(seen: Seen): Told['membership'] {
  try {
    return readMembership(seen)
  } catch (error) {
    // Its certificate has expired, which is told by that.
    if (error instanceof TaskError) return undefined
    throw error
  }
}

function certificateOf(seen: Seen): Told['certificate'] {
  const certificate = nodeCertificate(seen)
  return certificate
    ? { from: iso(Date.parse(certificate.validFrom)), until: iso(Date.parse(certificate.validTo)) }
    : null
}

function swarmOf(docker: Seen, stack: Seen | undefined): StackSeen | { error: string } {
  const seen = stack && readStack(stack)
  if (seen) return seen
  for (const line of docker.stdout.split('\n')) {
    const answer = parseJson(line)
    if (typeof answer === 'object' && answer !== null && 'message' in answer) {
      return { error: String(answer.message) }
    }
  }
  return { error: docker.code === 28 ? 'it does not answer in time' : 'Docker tells nothing of it' }
}

function shareOf(path: string, { stdout }: Seen): Share {
  const found = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => [line.replace(/ .*/, ''), line.replace(/^\S+ ?/, '')]),
  )
  return {
    path,
    mounted: found.has('mounted'),
    answers: found.has('answers'),
    // stat says: stat: cannot read file system information for '/srv/share': Stale file handle
    error: found.get('error')?.replace(/^.*': /, '') ?? null,
  }
}

/** Lines of `key=value`; none where no mirror is kept. */
function contentOf({ stdout }: Seen): Content | null {
  const found = new Map(stdout.split('\n').flatMap((line) => pair(line)))
  const source = found.get('source')
  if (source === undefined) return null
  const number = (key: string): number | null => {
    const value = found.get(key) ?? ''
    return /^\d+$/.test(value) ? Number(value) : null
  }
  const time = (key: string): string | null => {
    const seconds = number(key)
    return seconds === null || seconds === 0 || seconds > 1e11 ? null : iso(seconds * 1000)
  }
  return {
    source,
    since: time('since'),
    refreshed: time('refreshed'),
    bytes: number('bytes'),
    files: number('files'),
  }
}

function pair(line: string): [string, string][] {
  const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
  return key !== undefined && value !== undefined ? [[key, value.trim()]] : []
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
