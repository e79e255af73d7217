import { BrambleError } from '../errors.ts'
import type { Cluster, Host } from '../inventory/index.ts'
import type { Play } from '../playbook/play.ts'
import type { Sh } from '../playbook/sh.ts'
import type { ClusterStatus } from '../status/types.ts'
import type { Mark } from './bounds.ts'
import { missing, type Shape } from './health.ts'
import type { Sample } from './measure.ts'

/** Who can pull plugs, where that can be done by a program. */
export interface Plugs {
  powerOff(hosts: readonly Host[]): Promise<void>
  /** Returns when all answer again. */
  powerOn(hosts: readonly Host[]): Promise<void>
  unplug(host: Host): Promise<void>
  plug(host: Host): Promise<void>
}

/** How a drill reaches the cluster. */
export interface Access {
  cluster: Cluster
  signal: AbortSignal
  plugs?: Plugs
  /** Runs a command as root; what it printed. Errors: BrambleError when it fails, or after `seconds`. */
  run(host: Host, command: Sh, seconds?: number): Promise<string>
  /** Forgets what is known of the connections to hosts that were cut off. */
  forget(hosts: readonly Host[]): void
  /** Lets so many seconds go by, or fewer when `signal` is aborted. */
  pause(seconds: number): Promise<void>
  /** One look at the cluster. */
  look(): Promise<ClusterStatus>
  /** Runs plays as `bramble apply` does, until `signal` is aborted. Errors: BrambleError when a host fails. */
  play(name: string, plays: readonly Play[], signal?: AbortSignal): Promise<void>
}

/** Ctrl-C: what was cut is put back, and no more is done. */
export class Stopped extends Error {}

/** Puts back what was taken, and marks that; default: as what the site was waiting for. */
export type Back = (kind?: Mark['kind']) => Promise<void>

/** Seconds that a cluster may take to be whole again: four machines boot on two cores without acceleration. */
const WHOLE = 900

/** Seconds between two looks at the whole cluster, which costs small machines more than the load does. */
export const LOOK = 3

/** What drills are written with: they break things here, and wait for what becomes of it. */
export class Stage {
  readonly cluster: Cluster
  readonly before: Shape
  readonly marks: Mark[] = []
  readonly figures: Record<string, number> = {}
  readonly #access: Access
  readonly #samples: readonly Sample[]
  readonly #tell: (mark: Mark) => void
  readonly #undos = new Map<string, () => Promise<void>>()
  #redundant: number | undefined
  /** When something was last cut, or put back. */
  #done: number | undefined
  /** What is cut is being put back, interrupted or not. */
  #ending = false

  constructor(
    access: Access,
    { before, samples, tell }: { before: Shape; samples: readonly Sample[]; tell: (mark: Mark) => void },
  ) {
    this.#access = access
    this.cluster = access.cluster
    this.before = before
    this.#samples = samples
    this.#tell = tell
  }

  /** Seconds from the last thing that was done until the cluster was whole; the longest of several. */
  get redundant(): number | undefined {
    return this.#redundant
  }

  /** Sets a mark on the time line; default: now. */
  mark(kind: Mark['kind'], what: string, hosts: readonly Host[] = [], at = Date.now()): Mark {
    const mark = { at, what, kind, hosts: hosts.map(({ name }) => name) }
    this.marks.push(mark)
    this.#tell(mark)
    if (kind === 'down') this.#done = at
    return mark
  }

  run(host: Host, command: Sh, seconds?: number): Promise<string> {
    this.#check()
    return this.#access.run(host, command, seconds)
  }

  look(): Promise<ClusterStatus> {
    this.#check()
    return this.#access.look()
  }

  play(name: string, plays: readonly Play[]): Promise<void> {
    this.#check()
    return this.#access.play(name, plays, this.#ending ? undefined : this.#access.signal)
  }

  /** Cuts the power of hosts; returned is what turns it on again, which may be less than what the site lost. */
  async cutPower(...hosts: Host[]): Promise<Back> {
    const plugs = this.#plugs()
    const back = this.undo(`power of ${namesOf(hosts)}`, () => plugs.powerOn(hosts))
    this.mark('down', `power of ${namesOf(hosts)} cut`, hosts)
    await plugs.powerOff(hosts)
    this.#access.forget(hosts)
    return (kind) => this.putBack(`power of ${namesOf(hosts)} back`, back, kind)
  }

  /** Pulls the network cable of a host; returned is what plugs it in again. */
  async pullCable(host: Host): Promise<Back> {
    const plugs = this.#plugs()
    const back = this.undo(`cable of ${host.name}`, () => plugs.plug(host))
    this.mark('down', `cable of ${host.name} pulled`, [host])
    await plugs.unplug(host)
    this.#access.forget([host])
    return () => this.putBack(`cable of ${host.name} plugged in`, back)
  }

  /** Puts something back, and marks that. */
  async putBack(what: string, action: () => Promise<void>, kind: Mark['kind'] = 'back'): Promise<void> {
    this.#check()
    this.#done = this.mark(kind, what).at
    await action()
  }

  /** Something to be done before the drill ends, however it does; returned is what does it now. */
  undo(what: string, action: () => Promise<void>): () => Promise<void> {
    this.#undos.set(what, action)
    return async () => {
      await action()
      this.#undos.delete(what)
    }
  }

  /** Puts back what is not yet back. Errors: what could not be, each with its reason. */
  async end(): Promise<void> {
    this.#ending = true
    const failed: string[] = []
    for (const [what, action] of [...this.#undos].toReversed()) {
      this.#undos.delete(what)
      this.mark('note', `put back: ${what}`)
      await action().catch((error: unknown) => {
        failed.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
      })
    }
    if (failed.length > 0) {
      throw new BrambleError('not all could be put back', {
        found: failed.join('\n'),
        next: 'bramble status shows what is wrong; in the lab: bramble lab status',
      })
    }
  }

  /** Waits for something. Errors: BrambleError after so many seconds. `every`: seconds between two looks. */
  async until(
    what: string,
    seconds: number,
    isSo: () => boolean | Promise<boolean>,
    every = 0.5,
  ): Promise<void> {
    const deadline = Date.now() + seconds * 1000
    while (!(await isSo())) {
      if (Date.now() > deadline) {
        throw new BrambleError(`waited in vain for ${what}`, { expected: `within ${seconds} s` })
      }
      await this.hold(every)
    }
  }

  /** Lets so many seconds go by. */
  async hold(seconds: number): Promise<void> {
    this.#check()
    await this.#access.pause(seconds)
    this.#check()
  }

  /** Waits for an answer to a request that was sent after a point in time; when it came. */
  async answered(since: number, seconds: number): Promise<number> {
    const answer = () =>
      this.#samples.find(({ kind, at, error }) => kind === 'new' && at >= since && error === undefined)
    await this.until('an answer of the site', seconds, () => answer() !== undefined)
    const { at, ms } = answer() as Sample
    return at + ms
  }

  /** Waits until all is as it was before the drill, in every part and without a problem. */
  async whole(): Promise<void> {
    const since = this.#done ?? Date.now()
    let lacking: string[] = []
    const isWhole = async () => {
      lacking = missing(this.before, await this.look())
      return lacking.length === 0
    }
    await this.until('the cluster to be whole again', WHOLE, isWhole, LOOK).catch((error: unknown) => {
      if (!(error instanceof BrambleError) || lacking.length === 0) throw error
      throw new BrambleError(error.message, { ...error.details, found: lacking.join('\n') })
    })
    const { at } = this.mark('note', 'whole again')
    this.#redundant = Math.max(this.#redundant ?? 0, (at - since) / 1000)
  }

  #plugs(): Plugs {
    this.#check()
    if (this.#access.plugs) return this.#access.plugs
    throw new BrambleError('there is nobody here to pull plugs')
  }

  #check(): void {
    if (this.#access.signal.aborted && !this.#ending) throw new Stopped('interrupted')
  }
}

export function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ')
}
