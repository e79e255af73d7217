import { setTimeout as delay } from 'node:timers/promises'
import { BrambleError, TaskError } from '../errors.ts'
import { UnknownFact, type FactStore } from '../playbook/facts.ts'
import { userFrame } from '../playbook/load.ts'
import type { Change, Resource, Seen } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import type { Answer } from '../ssh/framing.ts'
import type { Listener, Status } from './events.ts'
import { markPending } from './handlers.ts'
import { Interrupted, unlessInterrupted } from './interruption.ts'
import { LockedOut, type RunLock } from './lock.ts'
import { untilUnlocked } from './locked-out.ts'
import type { Remote } from './remote.ts'

/** What the hosts of a run share. */
export interface RunState {
  check: boolean
  /** Seconds that a host may take to tell what it is asked. */
  timeout: number
  facts: FactStore
  lock: RunLock
  emit: Listener
  signal: AbortSignal
  /** Hosts that a step is changing, and the step's title. */
  changing: Map<string, string>
  /** Changes made so far on any host: probes from before one that another host made may be stale. */
  changes: number
  /** In check mode, the first change that would be made: what cannot be known rests on it. */
  firstChange?: string
}

interface Step {
  play: string
  remote: Remote
  state: RunState
  resources: readonly Resource[]
  /** The tasks of later plays as far as they are known: their probes are worth fetching along. */
  ahead: () => Resource[]
}

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

/** Names, but not more than a reader wants to see. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}

interface Outcome {
  status: Status
  diff?: string
  reason?: string
  output?: string
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
  if (!change.waits) return { status: 'changed', diff: change.diff, output }
  return {
    status: 'ok',
    reason: `waited for, as it was not so at once: ${change.diff.replaceAll('\n', ', ')}`,
    output,
  }
}

/** In check mode nothing is waited for. */
function planned(resource: Resource, seen: Seen, { check }: RunState): Change | undefined {
  const change = resource.plan(seen)
  if (check && change?.failure) throw change.failure
  return change
}

/** What check mode tells in place of applying. */
function foreseen(
  { remote, state }: Step,
  resource: Resource,
  change: Change,
  notified: Set<string>,
): Outcome {
  if (change.waits) {
    return { status: 'unknown', reason: `not so now; apply would wait for it:\n${change.diff}` }
  }
  const [earlier] = remote.foreseen
  if (change.uncertain && earlier) return unknown(earlier.title, `now it is\n${change.diff}`)
  remote.foreseen.push(resource)
  state.firstChange ??= `${remote.host.name}: ${resource.title}`
  for (const handler of resource.notify) notified.add(`handler: ${handler.title}`)
  return { status: 'changed', diff: change.diff }
}

function unknown(change: string, why: string): Outcome {
  return { status: 'unknown', reason: `unknown until "${change}" has been done: ${why}` }
}

/** Whether what a task has to do rests on a file, or on the directory that it is in. */
function decides(file: string, { restsOn = [] }: Resource): boolean {
  return restsOn.some((path) => path === file || file.startsWith(`${path}/`))
}

/** What the probe of a resource sees; fetched together with what follows if it is not at hand. */
async function look(step: Step, index: number): Promise<Seen> {
  const { remote, state } = step
  const text = (step.resources[index] as Resource).probe.text
  if (!remote.seen.has(text)) {
    const probes = following(step, index, remote.window)
    const what = `looking at ${probes.length} ${probes.length === 1 ? 'thing' : 'things'}`
    state.emit({ type: 'doing', at: Date.now(), host: remote.host.name, play: step.play, what })
    remote.window *= 2
    await unlessInterrupted(state.signal, () => remote.probe(probes, state.timeout))
  }
  return remote.seen.get(text) as Seen
}

/**
 * The probes from a resource on that are not at hand, up to the `count`-th of a task that was not well when it was last
 * seen: that one will most likely change something, and what was fetched beyond it would be stale.
 */
function following(step: Step, index: number, count: number): Sh[] {
  const probes = new Map<string, Sh>()
  let left = count
  for (const next of upcoming(step, index)) {
    const { text } = next.probe
    if (step.remote.seen.has(text) || probes.has(text)) continue
    probes.set(text, next.probe)
    if (!wasWell(next, step.remote.before.get(text))) left -= 1
    if (left <= 0) break
  }
  return [...probes.values()]
}

function* upcoming({ resources, ahead }: Step, index: number): Iterable<Resource> {
  yield* resources.slice(index)
  yield* ahead()
}

function wasWell(task: Resource, before: Seen | undefined): boolean {
  try {
    return before !== undefined && task.plan(before) === undefined
  } catch {
    return false
  }
}

/**
 * Applies, looks again, and fetches the next probe, in one round trip; returns what the apply printed. `due`: what was
 * waited for has come, and now there is something to do.
 */
async function applyAndVerify(
  step: Step,
  index: number,
  change: Change,
): Promise<{ output: string; due: boolean }> {
  const { remote, state } = step
  const resource = step.resources[index] as Resource
  const marks = markPending(change.waits ? [] : resource.notify).map(({ text }) => text)
  const apply = ['set -e', ...marks, change.apply.text].join('\n')
  remote.forget()
  remote.window = 1
  // Counted before it is made: from here on other hosts' older probes may be stale.
  if (!change.waits) {
    state.changes += 1
    remote.epoch += 1
  }
  const probes = following(step, index, 2)
  const timeout = resource.timeout + state.timeout
  let applied: Answer | undefined
  try {
    if (!change.waits) state.changing.set(remote.host.name, resource.title)
    if (change.reboots) {
      await unlessInterrupted(state.signal, () => remote.reboot(apply, resource.timeout))
      await remote.probe(probes, timeout)
    } else if (change.input) {
      applied = await remote.feed(apply, change.input, resource.timeout)
      await remote.probe(probes, timeout)
    } else if (change.waits) {
      applied = await unlessInterrupted(state.signal, () => remote.wait(apply, probes, timeout))
    } else {
      applied = await remote.change(apply, probes, timeout)
    }
  } finally {
    state.changing.delete(remote.host.name)
  }
  if (applied && applied.code !== 0) throw failed(applied)
  const due = await verify(step, resource, change)
  return { output: applied ? `${applied.stdout}${applied.stderr}` : '', due }
}

function failed(answer: Answer): TaskError {
  return new TaskError(`exited with code ${answer.code}`, {
    stderr: answer.stderr.trim() === '' ? answer.stdout : answer.stderr,
    output: `${answer.stdout}${answer.stderr}`,
    next: 'Mend what it says, then run the same command again: it goes on where it stopped.',
  })
}

function notConverged({ settle }: Resource, { waits }: Change, found: string): TaskError {
  return new TaskError(`did not converge${settle > 0 ? ` within ${settle} s` : ''}`, {
    expected: waits ? 'nothing left to wait for' : 'nothing left to change after it was applied',
    found,
    next: 'bramble status tells what is wrong with the cluster; once that is mended, run this again',
  })
}

/** A change counts as made only when the probe says so, within `settle` seconds. True: a wait ended with a change. */
async function verify({ remote, state, play }: Step, resource: Resource, change: Change): Promise<boolean> {
  const deadline = performance.now() + resource.settle * 1000
  let pause = 500
  for (;;) {
    const seen = remote.seen.get(resource.probe.text) as Seen
    const still = resource.plan(seen)
    if (!still) {
      state.facts.add(remote.host.name, resource.facts?.(seen) ?? {})
      return false
    }
    if (change.waits && !still.waits) return true
    if (state.signal.aborted) {
      throw new Interrupted('interrupted before it converged', {
        host: remote.host.name,
        task: resource.title,
        found: still.diff || seen.stdout || `exit code ${seen.code}`,
      })
    }
    if (performance.now() >= deadline) {
      if (still.failure) throw still.failure
      throw notConverged(resource, change, still.diff || seen.stdout || `exit code ${seen.code}`)
    }
    const what = `${resource.title}: waiting`
    state.emit({ type: 'doing', at: Date.now(), host: remote.host.name, play, what })
    await delay(pause, undefined, { signal: state.signal }).catch(() => undefined)
    // A probe is work for a small machine, too: it is asked less often the longer it takes.
    pause = Math.min(pause * 2, 4000)
    // Time has passed: what else was fetched along may have changed with it.
    remote.forget()
    await remote.probe([resource.probe], state.timeout)
  }
}

/** An error with host, task and the place in the user's playbook. */
export function locate(error: unknown, host: string, resource?: Resource): BrambleError {
  const made = resource?.origin ?? error
  const at = made instanceof Error ? userFrame(made) : undefined
  const where = { host, ...(resource && { task: resource.title }), ...(at && { at }) }
  if (error instanceof Interrupted) return error
  if (error instanceof UnknownFact) {
    return new TaskError(
      `needs the ${error.key} of ${error.host}, which ${error.host} has not told in this run`,
      {
        ...where,
        next: `Is ${error.host} in --limit, and did it fail before?`,
      },
    )
  }
  if (error instanceof BrambleError) {
    const Kind = error.constructor as typeof BrambleError
    return new Kind(error.message, {
      ...error.details,
      ...where,
      ...(error.details.next && { next: error.details.next.replaceAll(/\bHOST\b/g, () => host) }),
      ...(error.details.at && { at: error.details.at }),
    })
  }
  return new TaskError(error instanceof Error ? error.message : String(error), { ...where, cause: error })
}
