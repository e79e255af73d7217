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
  type SwarmNode,
} from './swarm-nodes.ts'

export interface NodeLabelsOptions extends SwarmMembers, Common {
  /** Labels by hostname; names begin with `bramble.`. Nodes that are not named here are left alone. */
  labels: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Hostnames of nodes that need not be in the swarm yet. Default: none. */
  optional?: readonly string[]
  /** Names of labels that are not added while a node that is well has them, and keeps them. Default: none. */
  later?: readonly string[]
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
export function nodeLabels(options: NodeLabelsOptions): Resource {
  const { labels, optional = [], later = [], ids = {}, ...common } = options
  return aboutSwarm(
    {
      title: 'node labels',
      probe: nodesProbe,
      plan(seen) {
        const nodes = readNodes(seen)
        const kept = later.filter((name) => nodes.some((node) => keeps(node, name, labels)))
        const changes = Object.entries(labels).flatMap(([hostname, wanted]) => {
          const node = findNode(nodes, hostname, ids[hostname])
          if (!node && optional.includes(hostname)) return []
          const { diff, flags } = compare(hostname, node?.Spec.Labels ?? {}, wanted, kept)
          if (diff.length === 0) return []
          return [
            {
              diff,
              apply: sh`${awaitNode(node, hostname)}\ndocker node update ${flags} ${node?.ID ?? hostname} >/dev/null`,
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

function keeps({ Spec, Status, Description }: SwarmNode, name: string, labels: NodeLabelsOptions['labels']) {
  const found = Spec.Labels?.[name]
  const wanted = labels[Description.Hostname ?? '']?.[name]
  return found !== undefined && found === wanted && Status.State === 'ready' && Spec.Availability === 'active'
}

function compare(
  hostname: string,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
  kept: readonly string[],
) {
  const diff: string[] = []
  const flags: string[] = []
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === value || kept.includes(name)) continue
    if (found[name] !== undefined) diff.push(`- ${hostname}: ${name}=${found[name]}`)
    diff.push(`+ ${hostname}: ${name}=${value}`)
    flags.push('--label-add', `${name}=${value}`)
  }
  for (const [name, value] of Object.entries(found)) {
    if (!name.startsWith(prefix) || name === DRAINED || name in wanted) continue
    diff.push(`- ${hostname}: ${name}=${value}`)
    flags.push('--label-rm', name)
  }
  return { diff, flags }
}
