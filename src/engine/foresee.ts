import type { Change, Resource, Seen } from '../playbook/resource.ts'
import type { Outcome, RunState, Step } from './step.ts'

/** In check mode nothing is waited for. */
export function planned(resource: Resource, seen: Seen, { check }: RunState): Change | undefined {
  const change = resource.plan(seen)
  if (check && change?.failure) throw change.failure
  return change
}

/** What check mode tells in place of applying. */
export function foreseen(
  { remote, state }: Step,
  resource: Resource,
  change: Change,
  notified: Set<string>,
): Outcome {
  if (change.waits || change.completes) {
    const would = change.waits ? 'wait for it' : 'see to it'
    return { status: 'unknown', reason: `not so now; apply would ${would}:\n${change.diff}` }
  }
  const [earlier] = remote.foreseen
  if (change.uncertain && earlier) return unknown(earlier.title, `now it is\n${change.diff}`)
  remote.foreseen.push(resource)
  state.firstChange ??= `${remote.host.name}: ${resource.title}`
  for (const handler of resource.notify) notified.add(`handler: ${handler.title}`)
  return { status: 'changed', diff: change.diff }
}

export function unknown(change: string, why: string): Outcome {
  return { status: 'unknown', reason: `unknown until "${change}" has been done: ${why}` }
}

/** Whether what a task has to do rests on a file, or on the directory that it is in. */
export function decides(file: string, { restsOn = [] }: Resource): boolean {
  return restsOn.some((path) => path === file || file.startsWith(`${path}/`))
}
