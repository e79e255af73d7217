import type { Common, Resource, Seen } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import type { Task } from '../stack/state.ts'
import { dockerGet, parseJson } from './docker.ts'
import {
  aboutSwarm,
  DRAINED,
  findNode,
  nodesProbe,
  readNodes,
  toldNodes,
  type SwarmNode,
} from './swarm-nodes.ts'

export interface NodeDrainedOptions extends Common {
  /** The node's hostname. */
  node: string
  /** Labels that are taken off at the same time, so that what they bring does not come back with the node. */
  withoutLabels?: readonly string[]
  /** Seconds that its tasks may take to end. Default 300. */
  timeout?: number
}

/**
 * A node of the swarm that is given no tasks and runs none any more, to be run on a manager. It is marked with the
 * label `bramble.drained`, by which `nodesActive()` knows it again. A node that is down is not waited for; one that is
 * not in the swarm has nothing to drain.
 *
 * Errors: tasks that still run when the time is over; Docker does not answer here.
 *
 * @see https://docs.docker.com/engine/swarm/swarm-tutorial/drain-node/
 * @example nodeDrained({ node: 'rpi3' })
 */
export function nodeDrained(options: NodeDrainedOptions): Resource {
  const { node: name, withoutLabels = [], timeout = 300, ...common } = options
  return aboutSwarm(
    {
      title: `node ${name} drained`,
      // Of all nodes: where a ghost has the same name, those of this name cannot be asked for.
      probe: dockerGet('/nodes', '/tasks'),
      settle: timeout,
      plan(seen) {
        const { nodes, tasks, told } = read(seen)
        const node = findNode(nodes, name, undefined)
        if (!node) return undefined
        if (node.Spec.Availability !== 'drain') {
          const off = withoutLabels.filter((label) => label in (node.Spec.Labels ?? {}))
          const flags = ['--label-add', `${DRAINED}=true`, ...off.flatMap((label) => ['--label-rm', label])]
          return {
            diff: `- ${name}: ${node.Spec.Availability}\n+ ${name}: drain`,
            apply: sh`docker node update --availability drain ${flags} ${node.ID} >/dev/null`,
          }
        }
        if (node.Status.State === 'down') return undefined
        if (tasks === undefined) {
          const diff = `- ${name}: tasks that are not told: ${told}\n+ ${name}: no tasks`
          return { diff, apply: sh`:`, waits: true }
        }
        const left = tasks.filter(({ NodeID, Status }) => NodeID === node.ID && !over.has(Status.State))
        if (left.length === 0) return undefined
        const states = left.map(({ ID, Status }) => `- ${name}: task ${ID} is ${Status.State}`)
        return { diff: `${states.join('\n')}\n+ ${name}: no tasks`, apply: sh`:`, waits: true }
      },
    },
    common,
  )
}

/**
 * Nodes that were drained by `nodeDrained()` are given tasks again, to be run on a manager. One that somebody else
 * drained is left drained. Facts: `out_of_service`, the names of all nodes that somebody else drained or paused, with
 * spaces between them.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/update/
 * @example nodesActive({ nodes: ['rpi3'] })
 */
export function nodesActive({ nodes, ...common }: { nodes: readonly string[] } & Common): Resource {
  return aboutSwarm(
    {
      title: 'nodes active',
      probe: nodesProbe,
      plan(seen) {
        const drained = readNodes(seen).filter(
          ({ Description, Spec }) =>
            nodes.includes(Description.Hostname ?? '') && DRAINED in (Spec.Labels ?? {}),
        )
        if (drained.length === 0) return undefined
        return {
          diff: drained
            .map(({ Description }) => `- ${Description.Hostname}: drain\n+ ${Description.Hostname}: active`)
            .join('\n'),
          apply: sh`for id in ${drained.map(({ ID }) => ID)}; do
  docker node update --availability active --label-rm ${DRAINED} "$id" >/dev/null
done`,
        }
      },
      facts: (seen) => ({
        out_of_service: readNodes(seen)
          .filter(({ Spec }) => Spec.Availability !== 'active' && !(DRAINED in (Spec.Labels ?? {})))
          .map(({ Description }) => Description.Hostname)
          .join(' '),
      }),
    },
    common,
  )
}

/** States of a task that has ended. */
const over = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'])

/** `tasks` is undefined where Docker `told` something else instead of them. */
function read(seen: Seen): {
  nodes: SwarmNode[]
  tasks: (Task & { ID: string })[] | undefined
  told: string
} {
  const nodes = toldNodes(seen, true)
  const [, told = ''] = seen.stdout.split('\n').filter((line) => line !== '')
  const tasks = parseJson(told)
  return { nodes, tasks: Array.isArray(tasks) ? tasks : undefined, told }
}
