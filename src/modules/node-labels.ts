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
  return labelled('node labels', options, (found, wanted, kept) => ({
    added: changed(found, wanted).filter((name) => !kept.includes(name)),
    removed: Object.keys(found).filter(
      (name) => name.startsWith(prefix) && name !== DRAINED && !(name in wanted),
    ),
  }))
}

/**
 * Adds what `nodeLabels()`, with the same options, has left for later; nothing else.
 *
 * Errors: those of `nodeLabels()`.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/update/
 * @example laterNodeLabels({ labels: { rpi1: { 'bramble.vip': 'true' } }, later: ['bramble.vip'] })
 */
export function laterNodeLabels(options: NodeLabelsOptions): Resource {
  return labelled('later node labels', options, (found, wanted, kept) => ({
    added: changed(found, wanted).filter((name) => kept.includes(name)),
    removed: [],
  }))
}

type Labels = Readonly<Record<string, string>>

/** Which labels a node is to get and to lose; `kept`: those that another node has and keeps. */
type Choose = (
  found: Labels,
  wanted: Labels,
  kept: readonly string[],
) => Record<'added' | 'removed', string[]>

function labelled(title: string, options: NodeLabelsOptions, choose: Choose): Resource {
  const { labels, optional = [], later = [], ids = {}, ...common } = options
  return aboutSwarm(
    {
      title,
      probe: nodesProbe,
      plan(seen) {
        const nodes = readNodes(seen)
        const kept = later.filter((name) => nodes.some((node) => keeps(node, name, labels)))
        const changes = Object.entries(labels).flatMap(([hostname, wanted]) => {
          const node = findNode(nodes, hostname, ids[hostname])
          if (!node && optional.includes(hostname)) return []
          const found = node?.Spec.Labels ?? {}
          const { added, removed } = choose(found, wanted, kept)
          if (added.length + removed.length === 0) return []
          const flags = [
            ...added.flatMap((name) => ['--label-add', `${name}=${wanted[name]}`]),
            ...removed.flatMap((name) => ['--label-rm', name]),
          ]
          return [
            {
              diff: [
                ...added.flatMap((name) => [
                  ...(name in found ? [`- ${hostname}: ${name}=${found[name]}`] : []),
                  `+ ${hostname}: ${name}=${wanted[name]}`,
                ]),
                ...removed.map((name) => `- ${hostname}: ${name}=${found[name]}`),
              ],
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

/** Names of the labels that are missing or have another value. */
function changed(found: Labels, wanted: Labels): string[] {
  return Object.keys(wanted).filter((name) => found[name] !== wanted[name])
}

function keeps(
  { Spec, Status, Description }: SwarmNode,
  name: string,
  labels: Readonly<Record<string, Labels>>,
) {
  const found = Spec.Labels?.[name]
  const wanted = labels[Description.Hostname ?? '']?.[name]
  return found !== undefined && found === wanted && Status.State === 'ready' && Spec.Availability === 'active'
}
