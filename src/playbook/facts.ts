import type { Secret } from '../secrets/secret.ts'

/** Asked of a host that has not told it: not yet, or not at all since it left the run. */
export class UnknownFact extends Error {
  override name = 'UnknownFact'
  readonly host: string
  readonly key: string

  constructor(host: string, key: string) {
    super(`${host} has not told its ${key}`)
    this.host = host
    this.key = key
  }
}

/** What hosts told in earlier plays. */
export class FactStore {
  readonly #facts: Map<string, Map<string, string | Secret>>
  readonly #ahead: boolean

  constructor(facts = new Map<string, Map<string, string | Secret>>(), ahead = false) {
    this.#facts = facts
    this.#ahead = ahead
  }

  /** The same facts for looking ahead, where a stand-in serves for what has not been told. */
  lookingAhead(): FactStore {
    return new FactStore(this.#facts, true)
  }

  /**
   * What a host told in an earlier play.
   *
   * Errors: UnknownFact, which the engine understands: in check mode the task is reported as unknown until the
   * change that brings the fact; in a real run it fails, naming the host.
   *
   * `standIn` serves while the engine only looks ahead: to find mistakes before it connects, and to fetch probes
   * early. It never gets into a change.
   *
   * @example facts.get('rpi1', 'swarm') === 'active'
   */
  get(host: string, key: string, standIn?: string): string {
    const value = this.find(host, key)
    if (typeof value === 'string') return value
    if (this.#ahead && standIn !== undefined) return standIn
    throw new UnknownFact(host, key)
  }

  /** The same for a secret. */
  secret(host: string, key: string): Secret {
    const value = this.find(host, key)
    if (value === undefined || typeof value === 'string') throw new UnknownFact(host, key)
    return value
  }

  /** The same; undefined when the host has not told it. */
  find(host: string, key: string): string | Secret | undefined {
    return this.#facts.get(host)?.get(key)
  }

  add(host: string, facts: Readonly<Record<string, string | Secret>>): void {
    const known = this.#facts.get(host) ?? new Map<string, string | Secret>()
    for (const [key, value] of Object.entries(facts)) known.set(key, value)
    this.#facts.set(host, known)
  }
}
