import { BrambleError } from '../errors.ts'
import type { Host, Inventory } from '../inventory/index.ts'
import type { Asked } from '../status/answers.ts'
import { clusterStatus } from '../status/cluster.ts'
import { commandsFor } from '../status/commands.ts'
import { statusProbe } from '../status/probe.ts'
import { readTold } from '../status/told.ts'
import type { ClusterStatus } from '../status/types.ts'
import type { Target } from '../ssh/target.ts'
import { Line } from './line.ts'

export interface Lookout {
  /**
   * One look at all hosts, side by side. Each is waited for as long as it may take; when the `next` look is not far,
   * only until it should have told of what hangs there.
   */
  look(next: boolean): Promise<{ status: ClusterStatus; asked: Asked[] }>
  /** Names of the hosts that have not answered yet. */
  waiting(): string[]
  close(): void
}

/** Looks at the cluster again and again, over connections that stay open. `path` is what the inventory was given as. */
export function lookout(
  inventory: Inventory,
  path: string,
  hosts: readonly Host[],
  targetOf: (host: Host) => Target,
): Lookout {
  const lines = hosts.map((host) => {
    const target = targetOf(host)
    // Less than the host has for all of its answer, so that it can still tell what hangs.
    const seconds = Math.min(target.connectTimeout / 3, 5)
    return { seconds, line: new Line(host, target, statusProbe(inventory, host, seconds).text) }
  })
  return {
    async look(next) {
      const asked = await Promise.all(
        lines.map(async ({ line, seconds }) => {
          const seen = await (next ? line.glance(seconds + 1.5) : line.ask())
          return [
            line.host,
            seen instanceof BrambleError ? seen : readTold(inventory, line.host, seen),
          ] as const
        }),
      )
      const status = clusterStatus(inventory, new Map(asked), commandsFor(path), Date.now())
      return { status, asked: asked.map(([, one]) => one) }
    },
    waiting: () => lines.filter(({ line }) => line.waiting).map(({ line }) => line.host.name),
    close() {
      for (const { line } of lines) line.close()
    },
  }
}
