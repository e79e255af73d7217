import { lines, sh } from '../playbook/sh.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import {
  aboutSwarm,
  awaitNode,
  DRAINED,
  findNode,
  nodesProbe,
  readNodes,
  type SwarmMembers,
} from './swarm-nodes.ts'

export interface NodeLabelsOptions extends SwarmMembers, Common {
  /** Labels by hostname; names begin with `bramble.`. Nodes that are not named here are left alone. */
  labels: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Hostnames of nodes that need not be in the swarm yet. Default: none. */
  optional?: readonly string[]
}

const prefix = 'bramble.'

/**
 * Labels of the swarm's nodes, to be run on one manager. Labels that begin with `bramble.` and are not wanted any
 * more are removed, others are not touched; nor is that of `nodeDrained()`.
 *
 * Errors (TaskError): two live nodes with one hostname; a node that does not appear within a minute.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/update/
 * @example nodeLabels({ labels: { rpi1: { 'bramble.webserver': 'true' } } })
 */
export function nodeLabels({ labels, optional = [], ids = {}, ...common }: NodeLabelsOptions): Resource {
  return aboutSwarm(
    {
      title: 'node labels',
      probe: nodesProbe,
      plan(seen) {
        const nodes = readNodes(seen)
        const changes = Object.entries(labels).flatMap(([hostname, wanted]) => {
          const node = findNode(nodes, hostname, ids[hostname])
          if (!node && optional.includes(hostname)) return []
          const { diff, options } = compare(hostname, node?.Spec.Labels ?? {}, wanted)
          if (diff.length === 0) return []
          return [
            {
              diff,
              apply: sh`${awaitNode(node, hostname)}\ndocker node update ${options} ${node?.ID ?? hostname} >/dev/null`,
            },
          ]
        })
        if (changes.length === 0) return undefined
        return {
          diff: changes.flatMap(({ diff }) => diff).join('\n'),
          apply: lines(...changes.map(({ apply }) => apply)),
        }
      },
    },
    common,
  )
}

function compare(
  hostname: string,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
) {
  const diff: string[] = []
  const options: string[] = []
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === value) continue
    if (found[name] !== undefined) diff.push(`- ${hostname}: ${name}=${found[name]}`)
    diff.push(`+ ${hostname}: ${name}=${value}`)
    options.push('--label-add', `${name}=${value}`)
  }
  for (const [name, value] of Object.entries(found)) {
    if (!name.startsWith(prefix) || name === DRAINED || name in wanted) continue
    diff.push(`- ${hostname}: ${name}=${value}`)
    options.push('--label-rm', name)
  }
  return { diff, options }
}
