import type { Event, HostSummary } from '../engine/events.ts'
import { redact } from '../secrets/secret.ts'

/** One event a line; the summary is the last. */
export function json(stream: NodeJS.WritableStream): (event: Event) => void {
  return (event) => {
    stream.write(`${eventLine(event)}\n`)
  }
}

/** An event as one line of JSON without secrets; in a summary the promised fields come first and in order. */
export function eventLine(event: Event): string {
  return JSON.stringify(ordered(event), (key, value: unknown) =>
    // Words of bramble's own, which a short secret must not spoil.
    typeof value === 'string' && key !== 'type' && key !== 'status' ? redact(value) : value,
  )
}

function ordered(event: Event): object {
  if (event.type !== 'summary') return event
  const { type, ok, ms, hosts, ...rest } = event
  const entries = Object.entries(hosts).map(([name, host]) => [name, orderedHost(host)] as const)
  return { type, ok, ms, hosts: Object.fromEntries(entries), ...rest }
}

function orderedHost({ ok, changed, failed, skipped, trips, unreachable, ...rest }: HostSummary): object {
  return { ok, changed, failed, skipped, trips, unreachable, ...rest }
}
