import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { startDocker } from './docker.ts'
import { membership, readMembership } from './membership.ts'
import { swarmFacts } from './swarm-member.ts'

/**
 * A host's place in the swarm, as facts; only the daemon is started if it does not run.
 * Facts: `swarm` (`inactive`, `pending`, `active`, `error` or `locked`), and for a member `node` (its id),
 * `manager` (`true` or `false`), `address`, and `cluster` (the swarm's id).
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /info)
 * @example swarmState()
 */
export function swarmState(common: Common = {}): Resource {
  return resource(
    {
      title: 'swarm state',
      probe: membership,
      settle: 60,
      plan: (seen) => (readMembership(seen) ? undefined : startDocker()),
      facts: swarmFacts,
    },
    common,
  )
}
