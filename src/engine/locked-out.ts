import { setTimeout as delay } from 'node:timers/promises'
import { TaskError } from '../errors.ts'
import { holderOf, isLate, judge, lockError, seize, type LockedOut } from './lock.ts'
import type { Remote } from './remote.ts'
import type { RunState } from './step.ts'

/**
 * Waits until it is worth trying again to take a host's lock, having ended whoever left it behind.
 *
 * Errors: TaskError that names who holds it, since when, and what to do.
 */
export async function untilUnlocked(
  { remote, state, play }: { remote: Remote; state: RunState; play: string },
  { answer }: LockedOut,
  since: number,
): Promise<void> {
  if (isLate(answer)) return
  const holder = holderOf(answer)
  const verdict = judge(holder, (performance.now() - since) / 1000, state.lock.force)
  const what = (words: string) =>
    state.emit({ type: 'doing', at: Date.now(), host: remote.host.name, play, what: words })
  if (verdict === 'give up') throw lockError(answer, holder)
  if (verdict === 'end' && holder) {
    what(`ending the run of ${holder.owner}`)
    const [ended] = await remote.trip([seize(holder.pid).text], 60)
    if (ended?.code !== 0) throw new TaskError('cannot end the other run', { stderr: ended?.stderr ?? '' })
    return
  }
  what(holder ? `waiting for what is left of the run of ${holder.owner}` : 'waiting for the lock')
  await delay(500)
}
