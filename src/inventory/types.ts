import type { Secret } from '../secrets/secret.ts'
import type { Settings } from './schema.ts'

export type { Settings } from './schema.ts'

/** How a host is reached. */
export interface Connection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly keyFile?: string
  readonly password?: Secret
  readonly becomePassword?: Secret
  /** Tasks run through sudo. */
  readonly become: boolean
  /** File of known host keys, instead of the user's own. */
  readonly knownHosts?: string
  /** Command whose standard input and output are the connection; `%h` and `%p` stand for host and port. */
  readonly proxyCommand?: string
  /** Seconds. */
  readonly connectTimeout: number
}

/** What an inventory sets for one host, besides how it is reached. */
export interface HostSettings {
  /** Network interface that holds the address; unset: it is looked up on the host. */
  readonly interface?: string
  /** Node labels in the swarm. */
  readonly labels: Readonly<Record<string, string>>
}

export interface Host {
  readonly name: string
  /** Static IPv4 address inside the cluster. */
  readonly address: string
  /** All groups, parents included, from the weakest to the strongest. */
  readonly groups: readonly string[]
  readonly connection: Connection
  readonly settings: HostSettings
  /** The user's own variables. */
  readonly extra: Readonly<Record<string, unknown>>
  in(group: string): boolean
}

/** The hosts and settings that playbooks are written against. */
export interface Cluster {
  readonly settings: Settings
  readonly hosts: readonly Host[]
  /**
   * Hosts of a group in the order of writing; none if it is one of the known groups and not in the inventory.
   *
   * @throws InputError for any other group that is not there
   */
  group(name: string): readonly Host[]
  /** The hosts that a pattern means; see matchHosts. */
  match(pattern: string): Host[]
}

export interface Inventory extends Cluster {
  /** The inventory file. */
  readonly path: string
  /** The directory that holds it, group_vars and host_vars. */
  readonly directory: string
  readonly groups: ReadonlyMap<string, readonly Host[]>
  /** What works but is likely not meant, a sentence each. */
  readonly warnings: readonly string[]
}
