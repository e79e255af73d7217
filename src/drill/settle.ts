import { BrambleError, ConnectionError } from '../errors.ts'
import type { ClusterStatus } from '../status/types.ts'
import type { Access } from './stage.ts'

/** Seconds between two looks. */
const LOOK = 3
/** Seconds of pauses, besides those after which a preferred load balancer takes the virtual address back. */
const MORE = 30

/**
 * Waits until the cluster is whole and stays as it is: no problem, and the virtual address where Keepalived wants it.
 * What is still to come, of a deploy or of a drill before, would pass for what the next drill did. `tell` is told once
 * what is waited for. Returns the last look.
 *
 * Errors: ConnectionError when no host answers at all; BrambleError when the cluster is not whole in that time.
 */
export async function settle(access: Access, tell: (what: string) => void): Promise<ClusterStatus> {
  const seconds = access.cluster.settings.vip.preempt_delay + MORE
  for (let waited = 0; ; waited += LOOK) {
    const status = await access.look()
    const lacking = status.problems.map(({ what }) => what)
    if (status.nodes.every(({ reachable }) => !reachable)) {
      throw new ConnectionError('no host could be reached', { found: lacking.join('\n') })
    }
    const awaited = status.ok ? moveToCome(access, status) : lacking.join('; ')
    if (awaited === undefined || access.signal.aborted) return status
    if (waited === 0) tell(`waits until the cluster has settled: ${awaited}`)
    if (waited >= seconds) {
      // Where the address stays with another, that is how this cluster is.
      if (status.ok) return status
      throw new BrambleError('the cluster is not whole: what a drill would show is not what it can do', {
        found: lacking.join('\n'),
        next: 'bramble status says what to do',
      })
    }
    await access.pause(LOOK)
  }
}

/** The move of the virtual address that is still to come. */
function moveToCome({ cluster }: Access, { vip }: ClusterStatus): string | undefined {
  const [preferred] = cluster.group('loadbalancers')
  const [holder] = vip.holders
  if (!preferred || !holder || holder === preferred.name) return undefined
  return `the virtual IP is on ${holder}, and ${preferred.name} takes it back`
}
