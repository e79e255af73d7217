import type { Cluster, Host, Inventory } from '../inventory/index.ts'
import { makeInventory } from '../inventory/inventory.ts'
import type { Play, Playbook } from '../playbook/play.ts'

/** The inventory as it is without a host. */
export function without(inventory: Inventory, host: Host): Inventory {
  const rest = (hosts: readonly Host[]) => hosts.filter((other) => other !== host)
  const groups = new Map([...inventory.groups].map(([name, members]) => [name, rest(members)]))
  return makeInventory({ ...inventory, hosts: rest(inventory.hosts), groups })
}

/** The plays of a playbook for a part of the cluster, to be run among others for the whole of it. */
export function within(part: Cluster, { plays }: Playbook): Play[] {
  return plays.flatMap((play) => {
    const hosts = part.match(play.hosts)
    if (hosts.length === 0) return []
    return [
      {
        ...play,
        hosts: hosts.map(({ name }) => name).join(':'),
        tasks: (host, context) =>
          play.tasks(host, {
            ...context,
            cluster: part,
            alive: context.alive.filter((other) => part.hosts.includes(other)),
          }),
      },
    ]
  })
}
