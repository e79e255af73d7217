import { TaskError } from '../errors.ts'
import { lines, sh } from '../playbook/sh.ts'
import type { Change, Common, Resource } from '../playbook/resource.ts'
import { aboutSwarm, nodesProbe, readNodes, toldNodes, until, type SwarmNode } from './swarm-nodes.ts'

export interface NodeOfSwarm extends Common {
  /** The node's hostname. */
  node: string
  /** Ids of entries that stay: those of live machines of that name. Default: none stays. */
  keep?: readonly string[]
}

/**
 * Tells whether the swarm can do without a node, to be run on another manager; nothing is changed.
 *
 * Errors (TaskError): without it the managers that are left would be no majority; `dead`, and the swarm sees it alive;
 * this host does not know the nodes.
 *
 * @see https://docs.docker.com/engine/swarm/admin_guide/#maintain-the-quorum-of-managers
 * @example nodeMayGo({ node: 'rpi2', dead: true })
 */
export function nodeMayGo({ dead = false, ...options }: NodeOfSwarm & { dead?: boolean }): Resource {
  const { node: name } = options
  return aboutSwarm(
    {
      title: `node ${name} may go`,
      probe: nodesProbe,
      plan(seen) {
        const nodes = toldNodes(seen)
        const found = entries(nodes, options)
        const alive = found.find(({ Status }) => Status.State === 'ready')
        if (dead && alive) {
          throw new TaskError(`${name} is alive`, {
            expected: 'a node that is down, since --dead was given',
            found: `${alive.ID}: ${alive.Status.State}`,
            next: 'leave --dead out; or, if it is just switched off, wait until the swarm has noticed',
          })
        }
        const managers = found.filter(({ Spec }) => Spec.Role === 'manager')
        if (managers.length > 0) keepsMajority(name, nodes, managers)
        return undefined
      },
    },
    options,
  )
}

/**
 * A node that manages the swarm no more, to be run on another manager.
 *
 * Errors (TaskError): without it the managers that are left would be no majority; this host does not know the nodes.
 *
 * @see https://docs.docker.com/engine/swarm/admin_guide/#maintain-the-quorum-of-managers
 * @example nodeDemoted({ node: 'rpi2' })
 */
export function nodeDemoted(options: NodeOfSwarm): Resource {
  const { node: name } = options
  return aboutSwarm(
    {
      title: `node ${name} no manager`,
      probe: nodesProbe,
      plan(seen) {
        const nodes = toldNodes(seen)
        const managers = entries(nodes, options).filter(({ Spec }) => Spec.Role === 'manager')
        if (managers.length === 0) return undefined
        keepsMajority(name, nodes, managers)
        return {
          diff: `- ${name}: manager\n+ ${name}: worker`,
          apply: lines(...managers.map(({ ID }) => sh`docker node demote ${ID} >/dev/null`)),
        }
      },
    },
    options,
  )
}

/**
 * No entry of a node in the swarm, to be run on a manager. The machine has left before (`swarmLeft()`), or is dead.
 *
 * Errors: those of `nodeDemoted()`; the swarm still takes it for alive after a minute.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/rm/
 * @example nodeRemoved({ node: 'rpi4' })
 */
export function nodeRemoved(options: NodeOfSwarm): Resource {
  const { node: name } = options
  return aboutSwarm(
    {
      title: `node ${name} not in the swarm`,
      probe: nodesProbe,
      settle: 30,
      plan(seen): Change | undefined {
        const nodes = readNodes(seen)
        return removal(nodes, entries(nodes, options))
      },
    },
    options,
  )
}

/** Takes entries off the list, if those that are left are a majority of the managers. */
export function removal(nodes: readonly SwarmNode[], gone: readonly SwarmNode[]): Change | undefined {
  if (gone.length === 0) return undefined
  const managers = gone.filter(({ Spec }) => Spec.Role === 'manager')
  if (managers.length > 0) keepsMajority(nameOf(managers[0]), nodes, managers)
  return {
    diff: gone.map((node) => `- node ${nameOf(node)} (${node.ID}, ${node.Status.State})`).join('\n'),
    apply: lines(
      ...managers.map(({ ID }) => demoteGone(ID)),
      ...gone.map((node) => remove(nameOf(node), node.ID)),
    ),
  }
}

/** A manager from before `docker swarm init --force-new-cluster` is one by name only: it is just removed. */
function demoteGone(id: string) {
  return sh`told=$(docker node demote ${id} 2>&1) || case $told in
  *'find manager in raft memberlist'*) ;;
  *) echo "$told" >&2; exit 1 ;;
esac`
}

function nameOf(node: SwarmNode | undefined): string {
  return node?.Description.Hostname ?? '?'
}

function remove(name: string, id: string) {
  const state = sh`[ "$(docker node inspect -f ${'{{.Status.State}}'} ${id})" = down ]`
  return lines(
    until(state, `the swarm still takes ${name} for alive: did it leave, or is it switched off?`),
    sh`docker node rm ${id} >/dev/null`,
  )
}

function entries(nodes: readonly SwarmNode[], { node, keep = [] }: NodeOfSwarm): SwarmNode[] {
  return nodes.filter(({ ID, Description }) => Description.Hostname === node && !keep.includes(ID))
}

/** Of those that would be left, more than half have to be there. */
function keepsMajority(name: string, nodes: readonly SwarmNode[], leaving: readonly SwarmNode[]): void {
  const rest = nodes.filter((node) => node.Spec.Role === 'manager' && !leaving.includes(node))
  const there = rest.filter(({ ManagerStatus }) => ManagerStatus?.Reachability === 'reachable')
  if (there.length > rest.length / 2) return
  throw new TaskError(`without ${name} the swarm would have no majority of managers`, {
    expected: `more than half of the ${rest.length} managers that would be left`,
    found:
      rest
        .map(({ Description, ManagerStatus }) => {
          return `${Description.Hostname ?? '?'}: ${ManagerStatus?.Reachability ?? 'unknown'}`
        })
        .join('\n') || 'no other manager',
    next: 'bring the other managers back, or put another node into the group managers and apply, then run this again',
  })
}
