import type { FactStore } from '../playbook/facts.ts'
import type { Resource } from '../playbook/resource.ts'
import type { Listener, Status } from './events.ts'
import type { RunLock } from './lock.ts'
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
  /** Changes made so far on any host. */
  changes: number
  /** Grows with each beginning and end of a change, or of a wait, on any host: older probes may be stale. */
  epoch: number
  /** In check mode, the first change that would be made: what cannot be known rests on it. */
  firstChange?: string
}

/** A play on one host. */
export interface Step {
  play: string
  remote: Remote
  state: RunState
  resources: readonly Resource[]
  /** The tasks of later plays as far as they are known: their probes are worth fetching along. */
  ahead: () => Resource[]
}

/** What became of a task. */
export interface Outcome {
  status: Status
  diff?: string
  reason?: string
  output?: string
}
