import { BrambleError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { containersOf } from '../modules/docker.ts'
import { lines, sh } from '../playbook/sh.ts'
import type { Access } from './stage.ts'

/** What a container of a load balancer wrote. */
export interface LogLine {
  /** By the host's clock, in milliseconds since 1970. */
  at: number
  host: string
  service: string
  text: string
}

/** Those whose words explain a failed request or a gap. */
const SERVICES = ['haproxy', 'keepalived']

/**
 * What HAProxy and Keepalived of all load balancers have logged since a point in time, in milliseconds since 1970; also
 * those that have ended, as long as the swarm keeps their containers. The oldest first.
 *
 * @see docker-container-logs(1)
 */
export async function balancerLogs(access: Access, since: number): Promise<LogLine[]> {
  const { cluster } = access
  const logs = SERVICES.map((service) => {
    const ids = containersOf(cluster.settings.stack.name, service, ['--all'])
    return sh`for id in $(${ids}); do
  docker logs --timestamps --since ${(since / 1000).toFixed(3)} "$id" 2>&1 | sed ${`s/ / ${service} /`}
done`
  })
  const told = await Promise.all(
    cluster.group('loadbalancers').map((host) =>
      access.run(host, lines(...logs)).then(
        (stdout) => readLog(host, stdout),
        (error: unknown) => [unread(host, error)],
      ),
    ),
  )
  return told.flat().toSorted((one, other) => one.at - other.at)
}

function readLog(host: Host, stdout: string): LogLine[] {
  return [...stdout.matchAll(/^(\S+Z) (\S+) (.*)$/gm)].map(([, time = '', service = '', text = '']) => ({
    at: Date.parse(time),
    host: host.name,
    service,
    text,
  }))
}

function unread({ name: host }: Host, error: unknown): LogLine {
  if (!(error instanceof BrambleError)) throw error
  return { at: Date.now(), host, service: 'docker', text: `no logs: ${error.message}` }
}
