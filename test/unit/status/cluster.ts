import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrambleError } from '../../../src/errors.ts'
import type { Host, Inventory } from '../../../src/inventory/index.ts'
import type { Asked } from '../../../src/status/answers.ts'
import { clusterStatus } from '../../../src/status/cluster.ts'
import { commandsFor } from '../../../src/status/commands.ts'
import { readTold } from '../../../src/status/told.ts'
import type { ClusterStatus } from '../../../src/status/types.ts'
import { inventoryOf } from '../inventory/fixture.ts'

/*
 * Three light hosts, each a manager and a web server, the first two load balancers. What they printed is in answers/,
 * without the parts of Docker's answers that nobody reads: when all was well; when rpi2 lacked the image of nginx; when an
 * update of nginx to an image that nobody has had failed; and when Docker was stopped on rpi2 and rpi3, 20 s (mute) and
 * a minute (quorum) after that.
 */

export type When = 'well' | 'lacking' | 'update' | 'mute' | 'quorum'

/** When they answered. */
export const NOW = Date.parse('2026-11-24T19:01:43Z')

/** @param mirror Its settings, as YAML. */
export function laboratory(mirror = '{}'): Promise<Inventory> {
  return inventoryOf(`all:
  vars: { vip: { address: 10.77.0.200 }, mirror: ${mirror} }
  hosts:
    rpi1: { ansible_host: 10.77.0.11 }
    rpi2: { ansible_host: 10.77.0.12 }
    rpi3: { ansible_host: 10.77.0.13 }
  children:
    managers: { hosts: { rpi1: , rpi2: , rpi3: } }
    loadbalancers: { hosts: { rpi1: , rpi2: } }
    webservers: { hosts: { rpi1: , rpi2: , rpi3: } }
    nfs_server: { hosts: { rpi3: } }
`)
}

export function printed(host: string, when: When = 'well'): string {
  return readFileSync(join(import.meta.dirname, `answers/${when}-${host}.txt`), 'utf8')
}

/** What a host printed instead of what it printed when all was well; an error: it could not be asked; null: nobody did. */
export type Answers = Readonly<Record<string, ((well: string) => string) | BrambleError | null>>

/** The cluster when all was well, but for the answers of some hosts. */
export function statusWith(
  inventory: Inventory,
  answers: Answers = {},
  { now = NOW, folder = 'inventory' } = {},
): ClusterStatus {
  const asked = inventory.hosts.flatMap((host): [Host, Asked][] => {
    const answer = answers[host.name]
    if (answer === null) return []
    if (answer instanceof BrambleError) return [[host, answer]]
    const stdout = (answer ?? String)(printed(host.name))
    return [[host, readTold(inventory, host, { code: 0, stdout, answered: now })]]
  })
  return clusterStatus(inventory, new Map(asked), commandsFor(folder), now)
}
