import { setTimeout as delay } from 'node:timers/promises'
import { BrambleError, TaskError } from '../errors.ts'
import type { Change, Resource, Seen } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import type { Answer } from '../ssh/framing.ts'
import { markPending } from './handlers.ts'
import { Interrupted, unlessInterrupted } from './interruption.ts'
import { following } from './probe.ts'
import type { Step } from './step.ts'

/**
 * Applies, looks again, and fetches the next probe, in one round trip; returns what the apply printed. `due`: what was
 * waited for has come, and now there is something to do.
 */
export async function applyAndVerify(
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
  // From here on other hosts' older probes may be stale.
  if (!change.waits) state.changes += 1
  aged(step)
  const probes = following(step, index, 2)
  try {
    const applied = await made(step, resource, change, { apply, probes })
    if (applied && applied.code !== 0) throw failed(applied)
    const output = applied ? `${applied.stdout}${applied.stderr}` : ''
    const due = await verify(step, resource, change).catch((error: unknown) => {
      // What it said may tell why it did not come to that.
      if (error instanceof BrambleError) error.details.output ??= output
      throw error
    })
    return { output, due }
  } finally {
    // What was asked while it was under way is as stale, also where it only waited for what others did.
    aged(step)
  }
}

function aged({ remote, state }: Step): void {
  state.epoch += 1
  remote.epoch += 1
}

/** Makes the change, and looks again; what it printed, but for a reboot. */
async function made(
  step: Step,
  resource: Resource,
  change: Change,
  { apply, probes }: { apply: string; probes: readonly Sh[] },
): Promise<Answer | undefined> {
  const { remote, state } = step
  const timeout = resource.timeout + state.timeout
  if (change.waits) return unlessInterrupted(state.signal, () => remote.wait(apply, probes, timeout))
  if (change.reboots) {
    await rebooted(step, resource, apply)
    await remote.probe(probes, timeout)
    return undefined
  }
  state.changing.set(remote.host.name, resource.title)
  try {
    if (!change.input) return await remote.change(apply, probes, timeout)
    const applied = await remote.feed(apply, change.input, resource.timeout)
    await remote.probe(probes, timeout)
    return applied
  } finally {
    state.changing.delete(remote.host.name)
  }
}

/** Nobody who wants to stop waits for a machine to come back. */
async function rebooted({ remote, state }: Step, { title, timeout }: Resource, apply: string): Promise<void> {
  try {
    await unlessInterrupted(state.signal, () => remote.reboot(apply, timeout))
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    throw new Interrupted('interrupted before the machine was back', {
      host: remote.host.name,
      task: title,
      found: 'it restarts, or is about to; it was not waited for',
    })
  }
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
