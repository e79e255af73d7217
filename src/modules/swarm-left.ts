import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { daemonRuns, startDocker } from './docker.ts'
import { membership, readMembership } from './membership.ts'
import { swarmFacts } from './swarm-member.ts'

/** What the probe prints of a member whose daemon could be started. */
const STOPPED = 'stopped'

export interface SwarmLeftOptions extends Common {
  /**
   * Leave even as a manager. `true`: at once, which may cost the swarm its majority: for the end of a whole swarm.
   * `late`: when it has not heard within a minute that it was demoted, since the managers do not reach it; for one
   * that they have demoted. Default false.
   */
  force?: boolean | 'late'
}

/**
 * A host that is in no swarm. A manager has to be demoted first (see `nodeRemoved()`), which reaches it a moment later:
 * that is waited for. Facts: those of `swarmState()`.
 *
 * A member whose Docker is stopped has it started: it would come back with the machine.
 *
 * Errors: it is still a manager after a minute; Docker does not start.
 *
 * @see https://docs.docker.com/reference/cli/docker/swarm/leave/
 * @example swarmLeft()
 */
export function swarmLeft({ force = false, ...common }: SwarmLeftOptions = {}): Resource {
  return resource(
    {
      title: 'in no swarm',
      probe: sh`if [ -e ${'/var/lib/docker/swarm/docker-state.json'} ] && ! ${daemonRuns} && command -v dockerd >/dev/null; then echo ${STOPPED}; else ${membership}
fi`,
      settle: 30,
      plan(seen) {
        if (seen.stdout.trim() === STOPPED) {
          const { apply } = startDocker()
          return {
            diff: `- swarm: a member whose Docker is stopped\n+ swarm: inactive`,
            apply: lines(apply, leave(force)),
          }
        }
        const state = readMembership(seen)?.LocalNodeState ?? 'inactive'
        if (state === 'inactive') return undefined
        return { diff: `- swarm: ${state}\n+ swarm: inactive`, apply: leave(force) }
      },
      facts: swarmFacts,
    },
    common,
  )
}

function leave(force: boolean | 'late'): Sh {
  if (force === true) return sh`docker swarm leave --force >/dev/null`
  const flags = force === 'late' ? ['--force'] : []
  return lines(sh`tries=0
until docker swarm leave >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || { docker swarm leave ${flags} >/dev/null; exit; }
  sleep 2
done`)
}
