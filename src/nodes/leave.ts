import type { Cluster, Host } from '../inventory/index.ts'
import { nodeDemoted, nodeMayGo, nodeRemoved } from '../modules/node-removed.ts'
import { swarmLeft } from '../modules/swarm-left.ts'
import { swarmState } from '../modules/swarm-state.ts'
import { play, type Play } from '../playbook/play.ts'
import { onManager } from './service.ts'

/**
 * Whether a node can go at all, before anything is done: it answers (or is dead, where it is said to be), and the swarm
 * keeps its majority without it.
 */
export function mayGo(host: Host, cluster: Cluster, dead: boolean): Play[] {
  const answers = play({
    name: `${host.name} answers`,
    hosts: host.name,
    critical: true,
    *tasks() {
      yield swarmState()
    },
  })
  return [
    ...(dead ? [] : [answers]),
    onManager(`the swarm can do without ${host.name}`, host, cluster, function* () {
      yield nodeMayGo({ node: host.name, dead })
    }),
  ]
}

/** A node's way out of the swarm; what it served, others serve before it goes. A dead one is only taken off the list. */
export function leave(host: Host, cluster: Cluster, dead: boolean): Play[] {
  if (dead) return [onManager(`remove ${host.name}`, host, cluster, () => [nodeRemoved({ node: host.name })])]
  return [
    onManager(`demote ${host.name}`, host, cluster, () => [nodeDemoted({ node: host.name })]),
    play({
      name: `${host.name} leaves`,
      hosts: host.name,
      critical: true,
      tasks: () => [swarmLeft({ force: 'late' })],
    }),
    onManager(`remove ${host.name}`, host, cluster, () => [nodeRemoved({ node: host.name })]),
  ]
}
