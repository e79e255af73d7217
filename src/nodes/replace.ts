import type { Cluster, Host } from '../inventory/index.ts'
import { identity } from '../modules/membership.ts'
import { nodeRemoved } from '../modules/node-removed.ts'
import { swarmFacts } from '../modules/swarm-member.ts'
import { play, type Play } from '../playbook/play.ts'
import { resource } from '../playbook/resource.ts'
import { onManager } from './service.ts'

/**
 * Plays that make room for a machine under an old name: what is left of its predecessor leaves the swarm. A machine
 * that is a member itself keeps its place, also while its Docker is stopped.
 */
export function ghostRemoved(host: Host, cluster: Cluster): Play[] {
  const own = play({
    name: `what ${host.name} is`,
    hosts: host.name,
    critical: true,
    *tasks() {
      yield resource({
        title: 'place in the swarm',
        probe: identity,
        plan: () => undefined,
        facts: swarmFacts,
      })
    },
  })
  const removed = onManager(`remove the ghost of ${host.name}`, host, cluster, function* (_, { facts }) {
    const id = facts.find(host.name, 'node')
    yield nodeRemoved({ node: host.name, keep: typeof id === 'string' ? [id] : [] })
  })
  return [own, removed]
}
