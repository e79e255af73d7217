import { resource, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { readStatistics, statisticsProbe } from '../status/haproxy.ts'

/** Exit code of curl: nobody listens there (curl(1), EXIT CODES). */
const CONNECTION_REFUSED = 7

/**
 * A load balancer that sends requests to a web server, to be run on each. It is waited for, two minutes at most; nothing
 * is changed. Where no HAProxy runs, as on a node that an interrupted upgrade has left drained, no request can go wrong.
 *
 * Errors: HAProxy's own word for the server when the time is over.
 *
 * @example backendUp({ server: 'rpi3', healthPort: 8405 })
 */
export function backendUp({ server, healthPort }: { server: string; healthPort: number }): Resource {
  return resource({
    title: `HAProxy sends requests to ${server}`,
    probe: statisticsProbe(healthPort, 5),
    settle: 120,
    plan({ code, stdout }) {
      if (code === CONNECTION_REFUSED) return undefined
      const servers = readStatistics(stdout, Date.now())
      const found = servers?.find(({ name }) => name === server)
      if (found?.up) return undefined
      const word = found
        ? `${found.status} (${found.check})`
        : servers
          ? 'not known'
          : 'HAProxy does not answer'
      return { diff: `- ${server}: ${word}\n+ ${server}: UP`, apply: sh`:`, waits: true }
    },
  })
}
