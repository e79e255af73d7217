import type { Event } from '../../src/engine/events.ts'

/**
 * Where a check and the apply after it disagree, a line each; empty when the check told the truth: what apply changed,
 * check said would change or could not know (the task, or its whole play); what check said would change did.
 */
export function disagreements(check: readonly Event[], apply: readonly Event[]): string[] {
  const foretold = statuses(check)
  const made = statuses(apply)
  const surprises = [...made.values()].flatMap(({ name, play, status }) => {
    const before = foretold.get(name)?.status ?? foretold.get(play)?.status ?? 'nothing'
    return status !== 'changed' || before === 'changed' || before === 'unknown'
      ? []
      : [`${name}: changed; check said ${before}`]
  })
  const promises = [...foretold.values()].flatMap(({ name, status }) => {
    const after = made.get(name)?.status ?? 'nothing'
    return status !== 'changed' || after === 'changed' ? [] : [`${name}: ${after}; check said changed`]
  })
  return [...surprises, ...promises]
}

interface Told {
  name: string
  /** What a play that could not be told at all is called in a check. */
  play: string
  status: string
}

/** What became of each task, by host, play and title; of two alike, the one that changed. */
function statuses(events: readonly Event[]): Map<string, Told> {
  const told = new Map<string, Told>()
  for (const event of events) {
    if (event.type !== 'task') continue
    const place = `${event.host}, ${event.play}`
    const name = `${place}, ${event.title}`
    if (told.get(name)?.status === 'changed') continue
    told.set(name, { name, play: `${place}, ${event.play}`, status: event.status })
  }
  return told
}
