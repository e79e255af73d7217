import type { Change, Resource } from '../playbook/resource.ts'
import { applyAndVerify } from './apply.ts'
import type { Status } from './events.ts'
import { decides, foreseen, planned, unknown } from './foresee.ts'
import { Interrupted, unlessInterrupted } from './interruption.ts'
import { locate } from './locate.ts'
import { LockedOut } from './lock.ts'
import { untilUnlocked } from './locked-out.ts'
import { look } from './probe.ts'
import type { Outcome, Step } from './step.ts'

/** Brings one host to where a play's resources say it shall be. Throws the first failure, told of before. */
export async function converge(step: Step): Promise<void> {
  const notified = new Set<string>()
  for (const [index, resource] of step.resources.entries()) {
    const { signal } = step.state
    try {
      if (index === 0 || signal.aborted) await unlessInterrupted(signal, () => step.remote.open())
    } catch (error) {
      throw error instanceof Interrupted ? withRest(error, step, index) : error
    }
    const start = performance.now()
    const tell = (status: Status, more: { diff?: string; reason?: string; output?: string } = {}) =>
      step.state.emit({
        type: 'task',
        at: Date.now(),
        host: step.remote.host.name,
        play: step.play,
        title: resource.title,
        status,
        ms: Math.round(performance.now() - start),
        ...more,
      })
    try {
      const outcome = await convergeOne(step, index, notified)
      tell(outcome.status, outcome)
    } catch (error) {
      // What was only looked at has not failed: nothing became of it.
      if (error instanceof Interrupted && error.details.task === undefined) throw withRest(error, step, index)
      const failure = locate(error, step.remote.host.name, resource)
      const { output } = failure.details
      tell('failed', { reason: failure.describe(), ...(output !== undefined && { output }) })
      throw failure instanceof Interrupted ? withRest(failure, step, index + 1) : failure
    }
  }
}

/** An interruption that tells which tasks of the play were not begun. */
function withRest(error: Interrupted, { resources, remote }: Step, from: number): Interrupted {
  const rest = listed(resources.slice(from).map(({ title }) => title))
  const { found, ...details } = error.details
  return new Interrupted(error.message, {
    ...details,
    host: remote.host.name,
    found: [found, rest && `not begun: ${rest}`].filter(Boolean).join('\n'),
    next: 'Run the same command again: it goes on where it stopped.',
  })
}

/** Where another run had the host's lock, all is looked at anew once it is free. */
async function convergeOne(step: Step, index: number, notified: Set<string>): Promise<Outcome> {
  let since: number | undefined
  for (;;) {
    try {
      return await tryOne(step, index, notified)
    } catch (error) {
      if (!(error instanceof LockedOut)) throw error
      const begin = (since ??= performance.now())
      await unlessInterrupted(step.state.signal, () => untilUnlocked(step, error, begin))
      step.remote.forget()
    }
  }
}

async function tryOne(step: Step, index: number, notified: Set<string>): Promise<Outcome> {
  const { remote, state } = step
  const resource = step.resources[index] as Resource
  const seen = await look(step, index)
  let change: Change | undefined
  try {
    change = planned(resource, seen, state)
  } catch (error) {
    if (state.check && state.firstChange) return unknown(state.firstChange, (error as Error).message)
    throw error
  }
  const rest = remote.foreseen.find(({ writes }) => writes !== undefined && decides(writes, resource))
  if (rest) return unknown(rest.title, `it rests on that file${change ? `; now it is\n${change.diff}` : ''}`)
  if (state.check && notified.has(resource.title)) change ??= { diff: '', apply: resource.probe }
  if (!change) {
    state.facts.add(remote.host.name, resource.facts?.(seen) ?? {})
    return { status: 'ok' }
  }
  if (state.check) return foreseen(step, resource, change, notified)
  state.emit({ type: 'doing', at: Date.now(), host: remote.host.name, play: step.play, what: resource.title })
  const { output, due } = await applyAndVerify(step, index, change)
  if (due) return tryOne(step, index, notified)
  return outcomeOf(change, output)
}

function outcomeOf({ waits, completes, diff }: Change, output: string): Outcome {
  if (!waits && !completes) return { status: 'changed', diff, output }
  const how = waits ? 'waited for, as it was not so at once' : 'to complete what was changed before'
  return { status: 'ok', reason: `${how}: ${diff.replaceAll('\n', ', ')}`, output }
}

/** Names, but not more than a reader wants to see. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}
