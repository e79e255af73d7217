import type { Cluster } from '../inventory/index.ts'
import { stackRemoved } from '../modules/stack-removed.ts'
import { swarmLeft } from '../modules/swarm-left.ts'
import { play, type Play } from '../playbook/play.ts'

/** Plays that end the whole swarm: the stack first, in peace, so that Keepalived takes the virtual address away. */
export function endOfSwarm({ settings }: Cluster): Play[] {
  const { name } = settings.stack
  return [
    play({ name: 'stack removed', hosts: 'managers', runOnce: true, tasks: () => [stackRemoved({ name })] }),
    play({ name: 'swarm left', hosts: 'managers:workers', tasks: () => [swarmLeft({ force: true })] }),
  ]
}
