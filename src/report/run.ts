import type { Event, Status } from '../engine/events.ts'

/** How a host fares: what a row of the terminal and a line of the summary are made of. */
export interface HostRun {
  state: 'waiting' | 'busy' | 'done' | 'failed' | 'unreachable'
  counts: Record<Status, number>
  /** What the host is busy with, since when (milliseconds since 1970). */
  doing?: { what: string; since: number }
  /** Milliseconds until its part of the play was done, or until it failed. */
  took?: number
}

export interface Failure {
  host: string
  /** The task that failed; none when the host itself did. */
  title?: string | undefined
  reason: string
  output: string
  /** The user asked to stop. */
  interrupted?: true
}

/**
 * What a failure says, without the host and task that it is listed under: an error describes itself with both in
 * front.
 */
export function reasonOf({ host, title, reason }: Pick<Failure, 'host' | 'title' | 'reason'>): string {
  const name = nameOf({ host, title })
  return reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason
}

/** `rpi1: template /etc/hosts`, or the host alone. */
export function nameOf({ host, title }: { host: string; title?: string | undefined }): string {
  return title === undefined ? host : `${host}: ${title}`
}

/** What has been seen of a run so far. */
export interface Run {
  playbook: string
  check: boolean
  start: number
  journal?: string
  play?: string
  hosts: Map<string, HostRun>
  failures: Failure[]
}

export function newRun(): Run {
  return { playbook: '', check: false, start: 0, hosts: new Map(), failures: [] }
}

/** Takes an event into account. Returns the failure when the event tells of one that was not known. */
export function follow(run: Run, event: Event): Failure | undefined {
  if (event.type === 'start') {
    const { playbook, check, at, journal } = event
    Object.assign(run, { playbook, check, start: at, ...(journal === undefined ? {} : { journal }) })
    for (const name of event.hosts) hostOf(run, name)
  }
  if (event.type === 'play') {
    run.play = event.play
    for (const name of event.hosts) begin(hostOf(run, name))
  }
  return 'host' in event ? followHost(run, event) : undefined
}

function followHost(run: Run, event: Event & { host: string }): Failure | undefined {
  const host = hostOf(run, event.host)
  switch (event.type) {
    case 'doing':
      host.state = 'busy'
      host.doing = { what: event.what, since: event.at }
      break
    case 'task':
      return followTask(run, host, event)
    case 'failed':
      finish(host, event.unreachable ? 'unreachable' : 'failed', event.at - run.start)
      return followFailed(run, event)
    case 'finished':
      finish(host, 'done', event.ms)
      break
  }
  return undefined
}

function hostOf(run: Run, name: string): HostRun {
  let host = run.hosts.get(name)
  if (!host) {
    host = {
      state: 'waiting',
      counts: { ok: 0, changed: 0, failed: 0, skipped: 0, unknown: 0 },
    }
    run.hosts.set(name, host)
  }
  return host
}

function followTask(run: Run, host: HostRun, event: Event & { type: 'task' }): Failure | undefined {
  host.counts[event.status] += 1
  delete host.doing
  if (event.status !== 'failed') return undefined
  const failure = {
    host: event.host,
    title: event.title,
    reason: event.reason ?? '',
    output: event.output ?? '',
  }
  run.failures.push(failure)
  return failure
}

function followFailed(run: Run, event: Event & { type: 'failed' }): Failure | undefined {
  // A host that leaves because of a task repeats what was said of the task.
  const told = run.failures.some(
    ({ host, reason }) =>
      host === event.host && (reason === event.reason || (!event.unreachable && reason !== '')),
  )
  if (told) return undefined
  const { host, reason, interrupted } = event
  const failure: Failure = { host, reason, output: '', ...(interrupted && { interrupted }) }
  run.failures.push(failure)
  return failure
}

function finish(host: HostRun, state: HostRun['state'], ms: number): void {
  delete host.doing
  // A host that failed is told to have finished, too: it stays failed.
  if (isOut(host)) return
  host.state = state
  host.took = ms
}

/** A host begins a play. */
function begin(host: HostRun): void {
  if (isOut(host)) return
  host.state = 'waiting'
  delete host.took
}

function isOut({ state }: HostRun): boolean {
  return state === 'failed' || state === 'unreachable'
}
