import type { Event } from '../../src/engine/events.ts'
import { until } from '../../src/lab/wait.ts'
import { generator } from '../random.ts'
import { watched, type Watched } from '../watched.ts'

/** Whether the program is killed at a step: the first is 1. */
export type Choice = (step: number) => boolean

/** All steps with BRAMBLE_STEPS=all, else so many of the first `among`, one of them early, as the seed has it. */
export function drawn(seed: number, count: number, among: number): Choice {
  if (process.env['BRAMBLE_STEPS'] === 'all') return () => true
  const next = generator(seed)
  const last = (index: number) => (index === 0 ? Math.min(among, 4) : among)
  const steps = new Set(Array.from({ length: count }, (_, index) => 1 + Math.floor(next() * last(index))))
  return (step) => steps.has(step)
}

/** Milliseconds that a host may take to boot. */
const REBOOT = 120_000

/** What the program says while it looks and waits, and that is no step that does anything. */
const idle = /^(looking at |connecting$|waiting for )|: waiting$/

/**
 * Runs a command, kills it as it begins a step, and runs it again: each step is met once,
 * on a cluster that all the kills before have left. A host that is booting cannot be reached for a while.
 *
 * @returns the steps at which it was killed, the run that came to its end, and the events of all runs
 */
export async function interrupted(
  words: readonly string[],
  folder: string,
  chosen: Choice,
): Promise<{ killed: string[]; last: Watched; events: Event[] }> {
  const begun = new Set<string>()
  const killed: string[] = []
  const events: Event[] = []
  let last: Watched | undefined
  let gone = -REBOOT
  await until(`bramble ${words.join(' ')} to end`, 1_700_000, async () => {
    let dead = false
    last = await watched([...words, '-o', 'json'], folder, (event, child) => {
      if (event.type !== 'doing' || idle.test(event.what) || dead) return
      const step = `${event.play} on ${event.host}: ${event.what}`
      if (begun.has(step)) return
      begun.add(step)
      if (!chosen(begun.size)) return
      dead = child.kill('SIGKILL')
      killed.push(step)
    })
    events.push(...last.events)
    if (dead) gone = performance.now()
    const away = last.events.some((event) => event.type === 'failed' && event.unreachable)
    return !dead && !(away && performance.now() < gone + REBOOT)
  })
  if (!last) throw new Error('it was not run')
  return { killed, last, events }
}
