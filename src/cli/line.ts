import { setTimeout as delay } from 'node:timers/promises'
import { BrambleError, ConnectionError, TimeoutError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import type { Seen } from '../playbook/resource.ts'
import { openSession, type Session } from '../ssh/session.ts'
import type { Target } from '../ssh/target.ts'

/** Asks one host the same again and again: in one round trip, over a connection that stays open. */
export class Line {
  readonly host: Host
  readonly #target: Target
  readonly #question: string
  #session: Session | undefined
  /** The question that is under way, and when it was sent. */
  #asking: { answer: Promise<Seen | BrambleError>; since: number } | undefined
  /** What came of the last one: `quiet`, nothing in the time that it was given. */
  #last: 'nothing yet' | 'an answer' | 'quiet' | BrambleError = 'nothing yet'

  constructor(host: Host, target: Target, question: string) {
    this.host = host
    this.#target = target
    this.#question = question
  }

  get waiting(): boolean {
    return this.#asking !== undefined
  }

  /** The host's answer, or why there is none. It has its `ansible_timeout` to connect and once more to answer. */
  ask(): Promise<Seen | BrambleError> {
    this.#asking ??= { answer: this.#ask().finally(() => (this.#asking = undefined)), since: Date.now() }
    return this.#asking.answer
  }

  /** The same until `over`: after that the host is told to be silent. */
  async askUntil(over: Promise<unknown>): Promise<Seen | BrambleError> {
    const since = Date.now()
    return Promise.race([this.ask(), over.then(() => this.#silence(since))])
  }

  /**
   * The same for who looks again soon: after `patience` seconds the host is told to be silent, and its answer counts for
   * the next look. It has longer the first time, since it has to be connected to, and only a moment when it was silent.
   */
  async glance(patience: number): Promise<Seen | BrambleError> {
    const answer = this.ask()
    const since = this.#asking?.since ?? Date.now()
    const seconds =
      this.#last === 'nothing yet'
        ? Math.max(patience, this.#target.connectTimeout / 2)
        : this.#last === 'an answer'
          ? patience
          : 1
    const silent = () => {
      if (this.#last instanceof BrambleError) return this.#last
      this.#last = 'quiet'
      return this.#silence(since)
    }
    return within(seconds, answer, silent).catch(asBramble)
  }

  close(): void {
    this.#session?.close()
    this.#session = undefined
  }

  #silence(since: number): TimeoutError {
    const message = `has not answered for ${Math.round((Date.now() - since) / 1000)} s`
    return new TimeoutError(message, { host: this.host.name })
  }

  async #ask(): Promise<Seen | BrambleError> {
    const told = await this.#once()
    this.#last = told instanceof BrambleError ? told : 'an answer'
    return told
  }

  async #once(): Promise<Seen | BrambleError> {
    const kept = this.#session !== undefined
    try {
      const session = (this.#session ??= await this.#open())
      const { answers, times } = await session.run([this.#question], this.#target.connectTimeout)
      const [answer] = answers
      if (answer) return { ...answer, answered: times[0] ?? Date.now() }
      throw new ConnectionError('gave no answer', { host: this.host.name })
    } catch (error) {
      this.close()
      // A host that has been restarted since the last time has ended the connection.
      const lost = error instanceof ConnectionError && !(error instanceof TimeoutError)
      return kept && lost ? this.#once() : asBramble(error)
    }
  }

  /** Logged in and not a step further, a host would be given three times as long by a run that changes it. */
  async #open(): Promise<Session> {
    const { connectTimeout, name } = this.#target
    const opening = openSession(this.#target)
    const late = () => {
      // It may yet come, when nobody waits for it any more.
      opening.then(
        (session) => session.close(),
        () => undefined,
      )
      return new TimeoutError(`did not get as far as a shell within ${connectTimeout} s`, {
        host: name,
        next: 'Is the machine stuck? If it is only slow, raise ansible_timeout.',
      })
    }
    // A moment more, for what opening it has to say itself.
    return within(connectTimeout + 0.5, opening, late)
  }
}

async function within<T>(seconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  const timer = new AbortController()
  const out = delay(seconds * 1000, undefined, { signal: timer.signal }).then(() => {
    throw late()
  })
  out.catch(() => undefined)
  try {
    return await Promise.race([work, out])
  } finally {
    timer.abort()
  }
}

/** Bugs are no answers. */
function asBramble(error: unknown): BrambleError {
  if (error instanceof BrambleError) return error
  throw error
}
