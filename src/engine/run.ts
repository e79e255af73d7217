import { setMaxListeners } from 'node:events'
import pLimit from 'p-limit'
import { BrambleError, ConnectionError, InputError, TaskError } from '../errors.ts'
import type { Cluster, Host } from '../inventory/index.ts'
import { FactStore, UnknownFact } from '../playbook/facts.ts'
import type { Context, Play, Playbook } from '../playbook/play.ts'
import type { Resource } from '../playbook/resource.ts'
import { quote } from '../playbook/sh.ts'
import { converge, listed } from './converge.ts'
import type { Event, HostSummary, Listener } from './events.ts'
import { Interrupted } from './interruption.ts'
import { locate } from './locate.ts'
import { newLock } from './lock.ts'
import { batches, checkPlaybook, checkTags, hostsOf, taggedTasks, tasksAhead, tasksOf } from './plays.ts'
import { Remote, type Connect } from './remote.ts'
import type { RunState } from './step.ts'
import { Tally } from './summary.ts'

export interface RunOptions {
  playbook: Playbook
  /** The playbook's path, for messages. */
  file: string
  cluster: Cluster
  /** The hosts to work on: the inventory's, or those of `--limit`. */
  hosts: readonly Host[]
  template: Context['template']
  archives: Context['archives']
  connect: Connect
  listener: Listener
  check?: boolean
  tags?: readonly string[]
  /** Hosts worked on at the same time. Default 25. */
  forks?: number
  /** Seconds that a host may take to tell its state; a change has those of its task besides. Default 120. */
  timeout?: number
  /** Ends another run that is at work on a host which this one wants to change. */
  forceUnlock?: boolean
  /** Aborted by Ctrl-C: the steps under way are finished, no others begun. */
  signal?: AbortSignal
  journal?: string
  /** The command that repeats this run on all of its hosts. Default: `bramble apply FILE`. */
  command?: string
  /** The command cannot be told to work on some hosts only, with `--limit`. */
  whole?: boolean
}

export interface RunResult {
  hosts: Record<string, HostSummary>
  ok: boolean
  changed: boolean
  interrupted: boolean
  /** The run ended before its last play. */
  endedEarly: boolean
}

/**
 * Runs a playbook over hosts. What happens is told to `listener`; the result says how it ended.
 *
 * Errors: InputError for what is wrong in the playbook, before any connection is opened. What fails on a host is in
 * the result, not thrown.
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const runner = new Runner(options)
  return runner.run()
}

class Runner {
  readonly #options: RunOptions
  readonly #state: RunState
  readonly #remotes: Map<Host, Remote>
  readonly #tally: Tally
  readonly #alive: Set<Host>
  readonly #failed = new Map<Host, BrambleError>()
  readonly #limit: ReturnType<typeof pLimit>
  #stopped = ''

  constructor(options: RunOptions) {
    this.#options = options
    this.#tally = new Tally(options.hosts.map((host) => host.name))
    this.#alive = new Set(options.hosts)
    this.#limit = pLimit(options.forks ?? 25)
    const emit = (event: Event) => {
      this.#tally.add(event)
      options.listener(event)
    }
    this.#state = {
      check: options.check ?? false,
      timeout: options.timeout ?? 120,
      facts: new FactStore(),
      lock: newLock(options.forceUnlock),
      emit,
      signal: options.signal ?? new AbortController().signal,
      changing: new Map(),
      changes: 0,
      epoch: 0,
    }
    // Each host listens to it.
    setMaxListeners(0, this.#state.signal)
    const { lock } = this.#state
    this.#remotes = new Map(
      options.hosts.map((host) => [host, new Remote(host, options.connect, emit, lock)]),
    )
  }

  async run(): Promise<RunResult> {
    const { playbook, file, hosts, journal } = this.#options
    const start = performance.now()
    checkPlaybook(file, playbook, this.#context())
    if (this.#options.tags) checkTags(this.#options.tags, playbook, this.#context())
    this.#state.emit({
      type: 'start',
      at: Date.now(),
      playbook: file,
      hosts: hosts.map((host) => host.name),
      check: this.#state.check,
      ...(journal !== undefined && { journal }),
    })
    const { signal } = this.#state
    const onAbort = () => this.#interrupt()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (const index of playbook.plays.keys()) {
        if (this.#stopped !== '') {
          const left = listed(playbook.plays.slice(index).map(({ name }) => name))
          this.#stopped += `; plays not begun: ${left}`
          break
        }
        if (this.#alive.size === 0) break
        await this.#play(index)
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      for (const remote of this.#remotes.values()) remote.close()
    }
    return this.#finish(Math.round(performance.now() - start))
  }

  #interrupt(): void {
    const finishing = Object.fromEntries(this.#state.changing)
    this.#state.emit({ type: 'interrupted', at: Date.now(), finishing })
  }

  async #play(index: number): Promise<void> {
    const play = this.#options.playbook.plays[index] as Play
    const hosts = hostsOf(play, this.#context())
    if (hosts.length === 0) return
    this.#state.emit({ type: 'play', at: Date.now(), play: play.name, hosts: hosts.map((host) => host.name) })
    const before = this.#failed.size
    const counts = (failure: BrambleError) => play.critical !== 'tasks' || failure instanceof TaskError
    const failures = () => [...this.#failed.values()].slice(before).filter(counts).length
    const bearable = play.critical ? 0 : (play.maxFailures ?? Infinity)
    // One that waits for its turn is not begun any more where too many have failed.
    const next = async (host: Host) => {
      if (failures() <= bearable) await this.#host(index, host)
    }
    for (const batch of batches(hosts, play.serial)) {
      await Promise.all(batch.map((host) => this.#limit(() => next(host))))
      if (failures() > bearable) {
        this.#stopped = `the play "${play.name}" ended the run: ${failures()} of its hosts failed`
      }
      if (this.#state.signal.aborted) this.#stopped = 'interrupted'
      if (this.#stopped !== '') return
    }
  }

  async #host(index: number, host: Host): Promise<void> {
    const play = this.#options.playbook.plays[index] as Play
    const remote = this.#remotes.get(host) as Remote
    const later = this.#options.playbook.plays.slice(index + 1)
    const state = this.#state
    const start = performance.now()
    if (remote.epoch !== state.epoch) {
      remote.forget()
      remote.epoch = state.epoch
    }
    try {
      const resources = this.#selected(play, host, tasksOf(play, host, this.#context()))
      const ahead = () => tasksAhead(later, host, this.#context(), this.#options.tags)
      await converge({ play: play.name, remote, state, resources, ahead })
    } catch (error) {
      if (error instanceof UnknownFact && state.check && state.firstChange) this.#unknown(play, host, error)
      else this.#fail(host, error)
    } finally {
      const ms = Math.round(performance.now() - start)
      state.emit({ type: 'finished', at: Date.now(), host: host.name, ms })
    }
  }

  /** The tasks that `--tags` asks for; the others are told as skipped. */
  #selected(play: Play, host: Host, resources: readonly Resource[]): Resource[] {
    const selected = taggedTasks(play, resources, this.#options.tags)
    for (const { title } of resources.filter((resource) => !selected.includes(resource))) {
      this.#task(play, host, title, 'skipped', 'none of its tags is in --tags')
    }
    return selected
  }

  #unknown(play: Play, host: Host, error: UnknownFact): void {
    const reason = `unknown until "${this.#state.firstChange}" has been done: ${error.message}`
    this.#task(play, host, play.name, 'unknown', reason)
  }

  #task(play: Play, host: Host, title: string, status: 'skipped' | 'unknown', reason: string): void {
    this.#state.emit({
      type: 'task',
      at: Date.now(),
      host: host.name,
      play: play.name,
      title,
      status,
      ms: 0,
      reason,
    })
  }

  #fail(host: Host, error: unknown): void {
    this.#alive.delete(host)
    const failure = error instanceof BrambleError ? error : locate(error, host.name)
    this.#failed.set(host, failure)
    const { trips } = this.#tally.hosts[host.name] as HostSummary
    // A host that was never logged into is unreachable; one that was lost later failed, and what it did is not known.
    const unreachable =
      failure instanceof ConnectionError && trips === 0 && failure.details.task === undefined
    const reason = failure.describe()
    const interrupted = failure instanceof Interrupted && ({ interrupted: true } as const)
    this.#state.emit({ type: 'failed', at: Date.now(), host: host.name, reason, unreachable, ...interrupted })
  }

  #finish(ms: number): RunResult {
    const { hosts } = this.#tally
    const summaries = Object.values(hosts)
    const ok = this.#failed.size === 0 && this.#stopped === ''
    const { cluster, hosts: all, file, command = `bramble apply ${file}`, whole = false } = this.#options
    // A run that ended early is done with none of its hosts.
    const left = this.#stopped === '' ? [...this.#failed.keys()] : all
    const names = left.map((host) => host.name).join(',')
    const retry = whole || left.length === cluster.hosts.length ? command : `${command} --limit ${names}`
    this.#state.emit({
      type: 'summary',
      at: Date.now(),
      ok,
      ms,
      check: this.#state.check,
      hosts,
      wrote: this.#state.changes > 0,
      ...(left.length > 0 && { retry }),
      ...(this.#stopped !== '' && { stopped: this.#stopped }),
    })
    return {
      hosts,
      ok,
      changed: summaries.some((host) => host.changed > 0),
      interrupted: this.#state.signal.aborted,
      endedEarly: this.#stopped !== '',
    }
  }

  #context(): Context {
    const { cluster, template, archives } = this.#options
    const { facts, changes } = this.#state
    return { cluster, template, archives, facts, alive: [...this.#alive], wrote: changes > 0 }
  }
}

/** The hosts of a pattern, or all. Errors: InputError when it names none; `from` tells where it was given. */
export function limitHosts(cluster: Cluster, pattern?: string, from = '--limit '): readonly Host[] {
  const hosts = pattern === undefined ? cluster.hosts : cluster.match(pattern)
  if (hosts.length === 0)
    throw new InputError(`${from}${quote(pattern ?? '')} names no host of the inventory`)
  return hosts
}
