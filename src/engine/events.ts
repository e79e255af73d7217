/** What became of a task on a host. `unknown`: it cannot be told before an earlier change has been made (check mode). */
export type Status = 'ok' | 'changed' | 'failed' | 'skipped' | 'unknown'

export interface HostSummary {
  ok: number
  changed: number
  failed: number
  skipped: number
  /** Scripts sent to the host and answered. */
  trips: number
  unreachable: boolean
  /** The user asked to stop before the host's part of the play was done. */
  interrupted?: true
  /** Milliseconds the run was busy with the host: all but waiting for other hosts. */
  ms: number
  /** Of these, milliseconds that commands ran on the host, by its own clock. */
  remoteMs: number
}

/**
 * What the engine tells while it runs; reports and the journal are made of nothing else.
 * `ms` are milliseconds, `at` is milliseconds since 1970.
 */
export type Event = { at: number } & (
  | { type: 'start'; playbook: string; hosts: string[]; check: boolean; journal?: string }
  | { type: 'play'; play: string; hosts: string[] }
  | { type: 'connected'; host: string; ms: number }
  /** The host is busy with this now: a task's title, `probing 12 tasks`, `waiting for rpi2`. */
  | { type: 'doing'; host: string; play: string; what: string }
  | {
      type: 'task'
      host: string
      play: string
      title: string
      status: Status
      ms: number
      diff?: string
      /** For `unknown`, `skipped` and `failed`: why, over one or more lines. */
      reason?: string
      /** What an apply printed, stdout and stderr together. */
      output?: string
    }
  /** One script there and back; `remoteMs` is what the host itself spent on it. */
  | { type: 'trip'; host: string; probes: number; ms: number; remoteMs: number }
  | { type: 'failed'; host: string; reason: string; unreachable: boolean; interrupted?: true }
  /** The user asked to stop: of these hosts, the step that is under way is finished. */
  | { type: 'interrupted'; finishing: Record<string, string> }
  /** A host's part of a play is over, after `ms`. */
  | { type: 'finished'; host: string; ms: number }
  | {
      type: 'summary'
      ok: boolean
      ms: number
      check: boolean
      hosts: Record<string, HostSummary>
      /** Whether anything was sent to any host besides what only looks: false for a run that found all as it should be. */
      wrote: boolean
      /** The command that repeats the run on just the hosts that it is not done with. */
      retry?: string
      /** Why the run ended before its last play. */
      stopped?: string
    }
)

/** Subscribes to a run. */
export type Listener = (event: Event) => void
