import { setTimeout as delay } from 'node:timers/promises'
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
   * One look at all hosts, side by side. One that does not answer holds up nobody: it is waited for until the others have
   * long answered or, when the `next` look is not far, until it should have told of what hangs there.
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
      const over = next ? undefined : longAnswered(lines.map(({ line }) => line.ask()))
      const asked = await Promise.all(
        lines.map(async ({ line, seconds }) => {
          const seen = await (over ? line.askUntil(over) : line.glance(seconds + 1.5))
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

/** Milliseconds that a host may take longer than others that are as fast. */
const MOMENT = 3000

/** Comes when half of them have answered, and as long again and a moment have gone by. */
async function longAnswered(answers: readonly Promise<unknown>[]): Promise<void> {
  const start = performance.now()
  let lacking = Math.ceil(answers.length / 2)
  await new Promise<void>((resolve) => {
    const count = () => {
      lacking -= 1
      if (lacking === 0) resolve()
    }
    for (const answer of answers) answer.then(count, count)
  })
  await delay(performance.now() - start + MOMENT, undefined, { ref: false })
}
