import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import { ConnectionError, TaskError, TimeoutError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { bundle } from '../playbook/batch.ts'
import type { Resource, Seen } from '../playbook/resource.ts'
import type { Sh } from '../playbook/sh.ts'
import type { Answer } from '../ssh/framing.ts'
import type { Session } from '../ssh/session.ts'
import type { Listener } from './events.ts'
import { BEAT, beat, beatInInput, LockedOut, marked, take, type RunLock } from './lock.ts'

/** Opens a session; it is given `patience` seconds where those are more than the inventory's `ansible_timeout`. */
export type Connect = (host: Host, patience: number) => Promise<Session>

type Timed = Answer & Seen

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
  /** The run's, when this one's probes were last known to be fresh. */
  epoch = 0
  /** In check mode, the tasks that would have changed it so far. */
  readonly foreseen: Resource[] = []
  #session: Promise<Session> | undefined
  readonly #connect: Connect
  readonly #emit: Listener
  readonly #lock: RunLock
  /** Runs while the session holds the host's lock. */
  #beating: NodeJS.Timeout | undefined
  #underWay = 0
  /** Seconds that the input which is on its way may take. */
  #feeding = 0
  /** A sign of life was not answered yet. */
  #unanswered = false
  #closed = false
  /** Seconds that the host is given to connect, where that is more than the inventory says. */
  #patience = 0

  constructor(host: Host, connect: Connect, emit: Listener, lock: RunLock) {
    this.host = host
    this.#connect = connect
    this.#emit = emit
    this.#lock = lock
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
  async trip(commands: readonly string[], timeout: number): Promise<Timed[]> {
    const { answers } = await this.#send(commands, timeout)
    return answers
  }

  /** The same for what changes something: with the host's lock. Errors: LockedOut, and none of it was run. */
  async #locked(commands: readonly string[], timeout: number): Promise<Timed[]> {
    const { first, answers } = await this.#send(commands, timeout, this.#lock)
    if (first === undefined || first.code !== 0) throw new LockedOut(first)
    this.#beating ??= setInterval(() => void this.#beat(), BEAT * 1000).unref()
    return answers
  }

  async #send(
    commands: readonly string[],
    timeout: number,
    lock?: RunLock,
  ): Promise<{ first: Timed | undefined; answers: Timed[] }> {
    const session = await this.#open()
    const start = performance.now()
    this.#underWay += 1
    // What only looks may take long, too, and shall not lose the lock meanwhile.
    const held = lock === undefined && this.#beating !== undefined
    const before = held ? [beat(timeout).text] : []
    const after = held || lock ? [beat().text] : []
    const told = await session
      .run([...before, ...commands, ...after], timeout, lock && take(lock, timeout).text)
      .finally(() => (this.#underWay -= 1))
    this.#emit({
      type: 'trip',
      at: Date.now(),
      host: this.host.name,
      probes: commands.length,
      ms: Math.round(performance.now() - start),
      remoteMs: told.remoteMs,
    })
    const timed = told.answers.map((answer, index) => ({
      ...answer,
      answered: told.times[index] ?? Date.now(),
    }))
    const from = held || lock ? 1 : 0
    return { first: timed[0], answers: timed.slice(from, from + commands.length) }
  }

  async #beat(): Promise<void> {
    const feeding = this.#feeding
    // While a step is under way, the lock is good for as long as that may take.
    if (this.#unanswered || (this.#underWay > 0 && feeding === 0)) return
    this.#unanswered = true
    const session = await this.#session?.catch(() => undefined)
    const sign = feeding > 0 ? beatInInput() : beat()
    await session?.run([sign.text], feeding || 60).catch(() => undefined)
    this.#unanswered = false
  }

  /** Runs a command that changes something and reads `input`, which is made once the host's lock is had. */
  async feed(command: string, input: () => Readable, timeout: number): Promise<Answer> {
    if (!this.#beating) await this.#locked([], 60)
    const session = await this.#open()
    const start = performance.now()
    this.#underWay += 1
    this.#feeding = timeout
    const answer = await session
      .run([beatInInput().text], 60)
      .then(() => session.feed(marked(command), input(), timeout))
      .finally(() => {
        this.#feeding = 0
        this.#underWay -= 1
      })
    const ms = Math.round(performance.now() - start)
    this.#emit({ type: 'trip', at: Date.now(), host: this.host.name, probes: 0, ms, remoteMs: ms })
    return answer
  }

  /** Runs probes and keeps what they printed. A lost connection is opened once more: probes only read. */
  async probe(probes: readonly Sh[], timeout: number): Promise<void> {
    const { commands, read } = bundle(probes)
    let answers: Timed[]
    try {
      answers = await this.trip(commands, timeout)
    } catch (error) {
      // One that hangs would hang again.
      const lost = error instanceof ConnectionError && !(error instanceof TimeoutError)
      if (!lost || !this.#session) throw error
      this.drop()
      this.forget()
      answers = await this.trip(commands, timeout)
    }
    await this.#remember(probes, read(answers), timeout)
  }

  /**
   * Runs a command that changes something, and probes after it, in one round trip. Errors: LockedOut, when another run
   * is at work on the host: nothing was done then.
   */
  async change(command: string, probes: readonly Sh[], timeout: number): Promise<Answer> {
    return this.#followed(command, probes, timeout, (commands) => this.#locked(commands, timeout))
  }

  /** The same for a command that writes nothing, and so needs no lock. */
  async wait(command: string, probes: readonly Sh[], timeout: number): Promise<Answer> {
    return this.#followed(command, probes, timeout, (commands) => this.trip(commands, timeout))
  }

  async #followed(
    command: string,
    probes: readonly Sh[],
    timeout: number,
    run: (commands: readonly string[]) => Promise<Timed[]>,
  ): Promise<Answer> {
    const { commands, read } = bundle(probes)
    const [applied, ...answers] = await run([command, ...commands])
    await this.#remember(probes, read(answers), timeout)
    return applied as Answer
  }

  async #remember(
    probes: readonly Sh[],
    seen: readonly (Seen | undefined)[],
    timeout: number,
  ): Promise<void> {
    const alone: string[] = []
    probes.forEach(({ text }, index) => {
      const one = seen[index]
      if (one) this.seen.set(text, one)
      else alone.push(text)
    })
    if (alone.length === 0) return
    const answers = await this.trip(alone, timeout)
    alone.forEach((text, index) => this.seen.set(text, answers[index] as Timed))
  }

  /**
   * Runs a command that restarts the machine, and waits until it answers with another boot_id.
   * Errors: TaskError when the command fails; ConnectionError when the machine does not come back within `timeout`
   * seconds; LockedOut.
   */
  async reboot(command: string, timeout: number): Promise<void> {
    const deadline = performance.now() + timeout * 1000
    const [before] = await this.#locked([bootId], 30)
    const [answer] = await this.trip([command], 60).catch(() => [])
    if (answer && answer.code !== 0) {
      throw new TaskError(`the reboot exited with code ${answer.code}`, { stderr: answer.stderr })
    }
    let [last, patience] = ['it still answers as before', 10]
    while (performance.now() < deadline && !this.#closed) {
      // A machine on its way down still answers, with its old boot_id; one that is starting does not answer.
      try {
        const [now] = await this.trip([bootId], patience)
        if (now?.code === 0 && now.stdout !== before?.stdout) return
      } catch (error) {
        last = error instanceof Error ? error.message : String(error)
        this.drop()
        // A slow machine that has just started may need longer than any other time, and each attempt that is given up
        // early leaves it more to do.
        if (error instanceof TimeoutError) this.#patience = patience = Math.min(patience * 1.5, 120)
      }
      await delay(1000)
    }
    throw new ConnectionError(`did not come back from its reboot within ${timeout} s`, {
      host: this.host.name,
      found: last,
      next: 'Look at its screen or power light; once it is up again, run the same command again.',
    })
  }

  /** The run is over. */
  close(): void {
    this.#closed = true
    this.drop()
  }

  /** Forgets the connection; the next trip opens another. */
  drop(): void {
    clearInterval(this.#beating)
    this.#beating = undefined
    const session = this.#session
    this.#session = undefined
    // One that is only being opened is not waited for.
    session?.then(
      (open) => open.close(),
      () => undefined,
    )
  }

  #open(): Promise<Session> {
    this.#session ??= this.#timed()
    return this.#session
  }

  async #timed(): Promise<Session> {
    const start = performance.now()
    this.#emit({ type: 'doing', at: Date.now(), host: this.host.name, play: '', what: 'connecting' })
    const session = await this.#connect(this.host, this.#patience)
    const ms = Math.round(performance.now() - start)
    this.#emit({ type: 'connected', at: Date.now(), host: this.host.name, ms })
    return session
  }
}
