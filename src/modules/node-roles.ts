import { InputError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import {
  aboutSwarm,
  awaitNode,
  findNode,
  nodesProbe,
  readNodes,
  until,
  type SwarmMembers,
} from './swarm-nodes.ts'

export interface NodeRolesOptions extends SwarmMembers, Common {
  /** Roles by hostname. Nodes that are not named here are left alone. */
  roles: Readonly<Record<string, 'manager' | 'worker'>>
}

/**
 * Who manages the swarm and who works only, to be run on one manager. Promotes before it demotes, and waits until
 * those promoted can be reached, so that the swarm keeps its majority.
 *
 * Errors (TaskError): no manager would be left; two live nodes with one hostname; a node that does not appear.
 *
 * @see https://docs.docker.com/engine/swarm/manage-nodes/#promote-or-demote-a-node
 * @example nodeRoles({ roles: { rpi1: 'manager', rpi4: 'worker' } })
 */
export function nodeRoles({ roles, ids = {}, ...common }: NodeRolesOptions): Resource {
  if (!Object.values(roles).includes('manager'))
    throw new InputError('node roles: no host is a manager', {
      next: 'name at least one host in group managers',
    })
  return aboutSwarm(
    {
      title: 'node roles',
      probe: nodesProbe,
      settle: 60,
      plan(seen) {
        const nodes = readNodes(seen)
        const members = Object.entries(roles).map(([hostname, role]) => ({
          hostname,
          role,
          node: findNode(nodes, hostname, ids[hostname]),
        }))
        const diff: string[] = []
        const promote: Sh[] = []
        const demote: Sh[] = []
        for (const { hostname, role, node } of members) {
          const found = node?.Spec.Role ?? 'not in the swarm'
          if (found !== role) diff.push(`- ${hostname}: ${found}\n+ ${hostname}: ${role}`)
          else if (
            role === 'manager' &&
            node?.Status.State === 'ready' &&
            node.ManagerStatus?.Reachability !== 'reachable'
          )
            diff.push(`- ${hostname}: manager, not reachable yet\n+ ${hostname}: manager`)
          else continue
          const id = node?.ID ?? hostname
          if (!node) promote.push(awaitNode(node, hostname))
          if (role === 'manager') promote.push(sh`docker node promote ${id}`, awaitReachable(id, hostname))
          else demote.push(sh`docker node demote ${id}`)
        }
        return diff.length === 0 ? undefined : { diff: diff.join('\n'), apply: lines(...promote, ...demote) }
      },
    },
    common,
  )
}

function awaitReachable(id: string, hostname: string): Sh {
  const format = '{{if .ManagerStatus}}{{.ManagerStatus.Reachability}}{{end}}'
  return until(
    sh`[ "$(docker node inspect -f ${format} ${id})" = reachable ]`,
    `${hostname} was promoted and is still not reachable as a manager`,
  )
}
