import type { Resource, Seen } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import { unlessInterrupted } from './interruption.ts'
import type { Step } from './step.ts'

/** What the probe of a resource sees; fetched together with what follows if it is not at hand. */
export async function look(step: Step, index: number): Promise<Seen> {
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
export function following(step: Step, index: number, count: number): Sh[] {
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
