import type { Event, HostSummary } from './events.ts'

/** Counts a run's events into the summary of each host. */
export class Tally {
  readonly hosts: Record<string, HostSummary> = {}

  constructor(names: readonly string[]) {
    for (const name of names) {
      this.hosts[name] = {
        ok: 0,
        changed: 0,
        failed: 0,
        skipped: 0,
        trips: 0,
        unreachable: false,
        ms: 0,
        remoteMs: 0,
      }
    }
  }

  add(event: Event): void {
    const host = 'host' in event ? this.hosts[event.host] : undefined
    if (!host) return
    if (event.type === 'trip') {
      host.trips += 1
      host.remoteMs += event.remoteMs
    }
    if (event.type === 'finished') host.ms += event.ms
    if (event.type === 'failed') {
      host.unreachable = event.unreachable
      if (event.interrupted) host.interrupted = true
      else if (!event.unreachable && host.failed === 0) host.failed = 1
    }
    if (event.type === 'task') host[event.status === 'unknown' ? 'skipped' : event.status] += 1
  }
}
