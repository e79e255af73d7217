import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import { ConnectionError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { bundle } from '../playbook/batch.ts'
import type { Resource, Seen } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import type { Answer } from '../ssh/framing.ts'
import type { Session } from '../ssh/session.ts'
import type { Listener } from './events.ts'

export type Connect = (host: Host) => Promise<Session>

const bootId = 'read -r id </proc/sys/kernel/random/boot_id; printf %s "$id"'

/** One host during a run: its connection, opened when it is first needed, and what its probes have told. */
export class Remote {
  readonly host: Host
  /** What probes printed since the host last changed, by the probe's text. */
  readonly seen = new Map<string, Seen>()
  /** What they printed before that: no longer to be relied on, but it tells what is worth fetching ahead. */
  readonly before = new Map<string, Seen>()
  /** How many probes of tasks that were not well to fetch at once: all at first, few once something has changed. */
  window = Number.POSITIVE_INFINITY
  /** Changes made to any host of the run when this one's probes were last known to be fresh. */
  epoch = 0
  /** In check mode, the tasks that would have changed it so far. */
  readonly foreseen: Resource[] = []
  #session: Promise<Session> | undefined
  readonly #connect: Connect
  readonly #emit: Listener

  constructor(host: Host, connect: Connect, emit: Listener) {
    this.host = host
    this.#connect = connect
    this.#emit = emit
  }

  /** What was seen may not be so any more. */
  forget(): void {
    for (const [text, seen] of this.seen) this.before.set(text, seen)
    this.seen.clear()
  }

  /** Connects, unless it has. Errors: ConnectionError, or what keeps it from becoming root. */
  async open(): Promise<void> {
    await this.#open()
  }

  /** Runs commands in one round trip. `timeout` in seconds. */
  async trip(commands: readonly string[], timeout: number): Promise<Answer[]> {
    const session = await this.#open()
    const start = performance.now()
    const { answers, remoteMs } = await session.run(commands, timeout)
    this.#emit({
      type: 'trip',
      at: Date.now(),
      host: this.host.name,
      probes: commands.length,
      ms: Math.round(performance.now() - start),
      remoteMs,
    })
    return answers
  }

  async feed(command: string, input: Readable, timeout: number): Promise<Answer> {
    const session = await this.#open()
    const start = performance.now()
    const answer = await session.feed(command, input, timeout)
    const ms = Math.round(performance.now() - start)
    this.#emit({ type: 'trip', at: Date.now(), host: this.host.name, probes: 0, ms, remoteMs: ms })
    return answer
  }

  /** Runs probes and keeps what they printed. A lost connection is opened once more: probes only read. */
  async probe(probes: readonly Sh[], timeout: number): Promise<void> {
    const { commands, read } = bundle(probes)
    let answers: Answer[]
    const asked = Date.now()
    try {
      answers = await this.trip(commands, timeout)
    } catch (error) {
      if (!(error instanceof ConnectionError) || !this.#session) throw error
      await this.drop()
      answers = await this.trip(commands, timeout)
    }
    await this.#remember(probes, read(answers), timeout, asked)
  }

  /** Runs a command that changes something, and probes after it, in one round trip. */
  async change(command: string, probes: readonly Sh[], timeout: number): Promise<Answer> {
    const { commands, read } = bundle(probes)
    const asked = Date.now()
    const [applied, ...answers] = await this.trip([command, ...commands], timeout)
    await this.#remember(probes, read(answers), timeout, asked)
    return applied as Answer
  }

  async #remember(
    probes: readonly Sh[],
    seen: readonly (Seen | undefined)[],
    timeout: number,
    asked: number,
  ): Promise<void> {
    const alone: string[] = []
    probes.forEach(({ text }, index) => {
      const one = seen[index]
      if (one) this.seen.set(text, { code: one.code, stdout: one.stdout, asked })
      else alone.push(text)
    })
    if (alone.length === 0) return
    const answers = await this.trip(alone, timeout)
    alone.forEach((text, index) => this.seen.set(text, { ...(answers[index] as Answer), asked }))
  }

  /**
   * Runs a command that restarts the machine, and waits until it answers with another boot_id.
   * Errors: ConnectionError when it does not within `timeout` seconds.
   */
  async reboot(command: string, timeout: number): Promise<void> {
    const before = await this.#bootId(30)
    const deadline = Date.now() + timeout * 1000
    await this.trip([command], 60).catch(() => undefined)
    while (Date.now() < deadline) {
      // A machine on its way down still answers, with its old boot_id; one that is starting does not answer.
      const now = await this.#bootId(10).catch(() => undefined)
      if (now !== undefined && now !== before) return
      if (now === undefined) await this.drop()
      await delay(1000)
    }
    throw new ConnectionError(`did not come back from its reboot within ${timeout} s`, {
      host: this.host.name,
    })
  }

  /** Forgets the connection; the next trip opens another. */
  async drop(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    session?.close()
    this.#session = undefined
  }

  async #bootId(timeout: number): Promise<string> {
    const [answer] = await this.trip([bootId], timeout)
    return answer?.stdout ?? ''
  }

  #open(): Promise<Session> {
    this.#session ??= this.#timed()
    return this.#session
  }

  async #timed(): Promise<Session> {
    const start = performance.now()
    this.#emit({ type: 'doing', at: Date.now(), host: this.host.name, play: '', what: 'connecting' })
    const session = await this.#connect(this.host)
    const ms = Math.round(performance.now() - start)
    this.#emit({ type: 'connected', at: Date.now(), host: this.host.name, ms })
    return session
  }
}
