import type { Mark } from './bounds.ts'
import type { Measured } from './measure.ts'

/**
 * What `bramble drill -o json` prints: every key is always there. Seconds (`_s`) count from when something was first
 * done to the cluster; docs/availability.md tells users of it.
 */
export interface DrillsResult {
  /** No bound was missed, and each cluster ended as it began. Skipped drills are neither. */
  ok: boolean
  /** ISO 8601, in UTC. */
  time: string
  /** What was asked for. */
  url: string
  /** Virtual Pis, and how they are emulated; null for a cluster of one's own. */
  lab: string | null
  drills: DrillResult[]
}

export interface DrillResult {
  name: string
  title: string
  ok: boolean
  /** Why it was not run; all figures are empty then. */
  skipped: string | null
  /** What went wrong besides bounds: the cluster was not whole again, a command failed. */
  error: string | null
  /** Over new connections, each its own. */
  requests: number
  failed: number
  longest_gap_ms: number
  gap_at_s: number
  longest_wait_ms: number
  /** Over connections that are kept: `again` was sent once more, as browsers do when a kept connection ends. */
  kept: Measured['kept']
  /** Seconds from the last thing that was done until everything was as before. */
  redundant_s: number | null
  as_before: boolean
  /** The drill's own figures, in seconds. */
  figures: Readonly<Record<string, number>>
  bounds: BoundResult[]
  /** Failed requests by reason, with when the first and the last were sent. */
  failures: { reason: string; count: number; first_s: number; last_s: number }[]
  /** What HAProxy and Keepalived of the load balancers wrote meanwhile, by the clock of each host. */
  log: { at_s: number; host: string; service: string; text: string }[]
  marks: { at_s: number; what: string; kind: Mark['kind'] }[]
  /** When the first of `per_second` began. */
  from_s: number
  /** Requests sent in each second: answered, failed. */
  per_second: number[][]
}

export interface BoundResult {
  what: string
  limit: number
  unit: 'ms' | 's' | ''
  /** null: it never came to that. */
  found: number | null
  ok: boolean
}

/** A drill that was not run. */
export function skippedDrill({ name, title }: { name: string; title: string }, reason: string): DrillResult {
  return {
    name,
    title,
    ok: true,
    skipped: reason,
    error: null,
    requests: 0,
    failed: 0,
    longest_gap_ms: 0,
    gap_at_s: 0,
    longest_wait_ms: 0,
    kept: { requests: 0, again: 0, failed: 0, slowest: 0 },
    redundant_s: null,
    as_before: true,
    figures: {},
    bounds: [],
    failures: [],
    log: [],
    marks: [],
    from_s: 0,
    per_second: [],
  }
}
