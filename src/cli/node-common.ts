import { InputError } from '../errors.ts'
import type { Host, Inventory } from '../inventory/index.ts'
import { didYouMean } from '../inventory/nearest.ts'
import { loadPlaybook } from '../playbook/load.ts'
import type { Play } from '../playbook/play.ts'
import { projectDirectory } from './project.ts'

/** Errors: InputError for a name that is no host's. */
export function hostNamed({ hosts, path }: Inventory, name: string): Host {
  const host = hosts.find((one) => one.name === name)
  if (host) return host
  const names = hosts.map((one) => one.name)
  throw new InputError(`no host is called ${name}`, {
    at: path,
    next: didYouMean(name, names, `known: ${names.join(', ')}`),
  })
}

/** The plays of the project's `playbooks/reset.ts` for some hosts; those that purge packages only if asked for. */
export async function resetPlays(
  inventory: Inventory,
  hosts: readonly Host[],
  packages = false,
): Promise<Play[]> {
  const { plays } = await loadPlaybook('playbooks/reset.ts', projectDirectory(), inventory)
  return plays
    .filter(({ tags = [] }) => packages || !tags.includes('packages'))
    .map((play) => ({
      ...play,
      hosts: inventory
        .match(play.hosts)
        .filter((host) => hosts.includes(host))
        .map(({ name }) => name)
        .join(':'),
    }))
    .filter((play) => play.hosts !== '')
}
