import { InputError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import { aboutSwarm, findNode, nodesProbe, readNodes, until, type SwarmMembers } from './swarm-nodes.ts'

export interface NodeRolesOptions extends SwarmMembers, Common {
  /** Roles by hostname. Nodes that are not named here are left alone; one that is not in the swarm will join it as what it shall be. */
  roles: Readonly<Record<string, 'manager' | 'worker'>>
}

/**
 * Who manages the swarm and who works only, to be run on one manager. Promotes before it demotes, and waits until
 * those promoted can be reached, so that the swarm keeps its majority.
 *
 * Errors (TaskError): no manager would be left; two live nodes with one hostname; one that was promoted and cannot be
 * reached within a minute.
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
        const members = Object.entries(roles).flatMap(([hostname, role]) => {
          const node = findNode(nodes, hostname, ids[hostname])
          return node ? [{ hostname, role, node }] : []
        })
        const diff: string[] = []
        const promote: Sh[] = []
        const reach: Sh[] = []
        const demote: Sh[] = []
        for (const { hostname, role, node } of members) {
          const { ID: id, Spec, Status, ManagerStatus } = node
          const manages = Spec.Role === 'manager'
          if (manages && role === 'worker') {
            diff.push(`- ${hostname}: manager\n+ ${hostname}: worker`)
            demote.push(sh`docker node demote ${id} >/dev/null`)
          } else if (!manages && role === 'manager') {
            diff.push(`- ${hostname}: worker\n+ ${hostname}: manager`)
            promote.push(sh`docker node promote ${id} >/dev/null`, awaitReachable(id, hostname))
          } else if (manages && Status.State === 'ready' && ManagerStatus?.Reachability !== 'reachable') {
            diff.push(`- ${hostname}: manager, not reachable yet\n+ ${hostname}: manager`)
            reach.push(awaitReachable(id, hostname))
          }
        }
        if (diff.length === 0) return undefined
        if (promote.length + demote.length === 0) return { diff: diff.join('\n'), apply: sh`:`, waits: true }
        return { diff: diff.join('\n'), apply: lines(...promote, ...reach, ...demote) }
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
