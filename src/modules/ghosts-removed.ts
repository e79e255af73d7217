import type { Change, Common, Resource } from '../playbook/resource.ts'
import { removal } from './node-removed.ts'
import { aboutSwarm, nodesProbe, readNodes, severalAlive, type SwarmMembers } from './swarm-nodes.ts'

/**
 * No entries in the swarm of what machines were before they were set up anew, to be run on a manager: nodes that are
 * down and have the name of a machine that is a member itself. One that was alive a moment ago is waited for.
 *
 * Errors (TaskError): another machine of the same name, which lives; those of `nodeDemoted()`.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/rm/
 * @example ghostsRemoved({ ids: { rpi4: 'xetyhqqhjfoibvj3savw5xymb' } })
 */
export function ghostsRemoved({ ids, ...common }: SwarmMembers & Common): Resource {
  return aboutSwarm(
    {
      title: 'no ghosts among the nodes',
      probe: nodesProbe,
      plan(seen): Change | undefined {
        const nodes = readNodes(seen)
        const others = nodes.filter(({ ID, Description: { Hostname = '' } }) => {
          return ids?.[Hostname] !== undefined && ids[Hostname] !== ID
        })
        const alive = others.find(({ Status }) => Status.State !== 'down')
        if (!alive) return removal(nodes, others)
        const name = alive.Description.Hostname ?? ''
        throw severalAlive(name, [alive.ID, ids?.[name] ?? ''])
      },
    },
    common,
  )
}
