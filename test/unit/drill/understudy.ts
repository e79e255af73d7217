import type { Load } from '../../../src/drill/load.ts'
import type { Sample } from '../../../src/drill/measure.ts'
import type { Access } from '../../../src/drill/stage.ts'
import { ConnectionError } from '../../../src/errors.ts'
import type { Host, Inventory } from '../../../src/inventory/index.ts'
import type { Play } from '../../../src/playbook/play.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'
import type { ClusterStatus } from '../../../src/status/types.ts'
import { statusWith, type Answers } from '../status/cluster.ts'

/**
 * Stands in for the cluster of the tests of `status`: plugs can be pulled, and what a host then tells of the cluster is
 * what follows from that. Time does not pass in it.
 */
export class Understudy implements Access {
  readonly cluster: Inventory
  readonly stop = new AbortController()
  readonly signal = this.stop.signal
  /** All that was done to it. */
  readonly done: string[] = []
  readonly #dead = new Set<string>()
  #pid = 100
  #share = ''
  #holder = 'rpi1'
  #asked: number | undefined

  constructor(cluster: Inventory) {
    this.cluster = cluster
  }

  readonly plugs = {
    powerOff: (hosts: readonly Host[]) => this.#away('off', hosts),
    powerOn: (hosts: readonly Host[]) => this.#here('on', hosts),
    unplug: (host: Host) => this.#away('unplug', [host]),
    plug: (host: Host) => this.#here('plug', [host]),
  }

  run(host: Host, { text }: { text: string }): Promise<string> {
    if (this.#dead.has(host.name)) throw new ConnectionError('cannot be reached', { host: host.name })
    if (text.includes('docker logs')) return Promise.resolve(this.#logOf(host))
    if (text.includes('docker inspect')) return Promise.resolve(`${this.#pid}\n`)
    if (text.includes('/dev/tcp/')) return Promise.resolve('open\n')
    if (text.startsWith('curl')) return Promise.resolve(this.#share)
    this.done.push(`${host.name}: ${text}`)
    if (text.startsWith('kill')) this.#pid += 1
    if (text.startsWith('echo')) this.#share = text.split(' ')[1] ?? ''
    return Promise.resolve('')
  }

  look(): Promise<ClusterStatus> {
    return Promise.resolve(statusWith(this.cluster, this.answers()))
  }

  play(name: string, _plays?: readonly Play[], _signal?: AbortSignal): Promise<void> {
    this.done.push(`play: ${name}`)
    if (name === 'virtual IP away') this.#holder = 'rpi2'
    return Promise.resolve()
  }

  forget(): void {}

  pause(): Promise<void> {
    // Keepalived's preempt_delay is over.
    if (!this.#dead.has('rpi1')) this.#holder = 'rpi1'
    return Promise.resolve()
  }

  answers(): Answers {
    const line = '2: eth0    inet 10.77.0.200/32 scope global eth0\n'
    return Object.fromEntries(
      this.cluster.hosts.map(({ name }) => [
        name,
        this.#dead.has(name)
          ? new ConnectionError('cannot be reached', { host: name })
          : (well: string) => {
              const without = this.#led(well).replace(/^.* inet 10\.77\.0\.200.*\n/m, '')
              return name === this.#holder ? without.replace('mounted\n', `${line}mounted\n`) : without
            },
      ]),
    )
  }

  /** Another manager leads while rpi1 cannot. */
  #led(text: string): string {
    if (!this.#dead.has('rpi1')) return text
    return text.replace(/^\[\{.*"Description".*$/m, (line) => {
      const nodes = JSON.parse(line) as SwarmNode[]
      for (const { Description, ManagerStatus } of nodes) {
        if (ManagerStatus) ManagerStatus.Leader = Description.Hostname === 'rpi2'
      }
      return JSON.stringify(nodes)
    })
  }

  #away(what: string, hosts: readonly Host[]): Promise<void> {
    for (const { name } of hosts) this.#dead.add(name)
    if (this.#dead.has('rpi1')) this.#holder = 'rpi2'
    return this.#told(what, hosts)
  }

  #here(what: string, hosts: readonly Host[]): Promise<void> {
    for (const { name } of hosts) this.#dead.delete(name)
    return this.#told(what, hosts)
  }

  /** The line of rpi1 is the later one, whoever is asked first. */
  #logOf({ name }: Host): string {
    this.#asked ??= Date.now()
    const time = new Date(this.#asked + (name === 'rpi1' ? 20 : 10)).toISOString()
    return `${time} haproxy Server web/rpi3 is DOWN\nnot a line of a log\n`
  }

  #told(what: string, hosts: readonly Host[]): Promise<void> {
    this.done.push(`${what} ${hosts.map(({ name }) => name).join(' ')}`)
    return Promise.resolve()
  }
}

/**
 * A load whose requests are made up: each is answered by default, a long time ahead. After all of them come answers of
 * `nodes` from the share.
 */
export function loadOf(
  change: (sample: Sample, index: number) => Sample = (sample) => sample,
  nodes: readonly string[] = [],
): Load {
  const now = Date.now()
  const made = { kind: 'new', url: 'http://site/', ms: 1 } as const
  const samples: Sample[] = Array.from({ length: 100 }, (_, index) =>
    change({ ...made, at: now + index, content: 'mirror' }, index),
  )
  for (const node of nodes) samples.push({ ...made, at: now + 5000, content: 'nfs', node })
  return { samples, stop: () => Promise.resolve(samples) }
}
