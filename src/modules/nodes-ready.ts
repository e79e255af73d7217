import type { Common, Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { aboutSwarm, findNode, nodesProbe, readNodes } from './swarm-nodes.ts'

export interface NodesReadyOptions extends Common {
  /** Hostnames of nodes that shall be well. */
  names: readonly string[]
  /** Seconds that a node may take to come back. Default 60. */
  timeout?: number
}

/**
 * Every named node is ready in the eyes of the managers, and managers reach each other; it is waited for. To be run
 * on a manager.
 *
 * Errors: a node that is still not ready when the time is over.
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /nodes)
 * @example nodesReady({ names: ['rpi1', 'rpi2'] })
 */
export function nodesReady({ names, timeout = 60, ...common }: NodesReadyOptions): Resource {
  return aboutSwarm(
    {
      title: 'nodes ready',
      probe: nodesProbe,
      settle: timeout,
      plan(seen) {
        const nodes = readNodes(seen)
        const wrong = names.flatMap((name) => {
          const node = findNode(nodes, name, undefined)
          const state = node?.Status.State ?? 'not in the swarm'
          const reach = node?.ManagerStatus?.Reachability ?? 'reachable'
          if (state === 'ready' && reach === 'reachable') return []
          return [`- ${name}: ${state === 'ready' ? `manager, ${reach}` : state}\n+ ${name}: ready`]
        })
        return wrong.length === 0 ? undefined : { diff: wrong.join('\n'), apply: sh`:`, waits: true }
      },
    },
    common,
  )
}
