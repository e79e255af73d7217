import type { Secret } from '../secrets/secret.ts'
import type { Settings } from './schema.ts'

export type { Settings } from './schema.ts'

/** What the inventory says of how a host is reached. What it leaves unsaid comes from ssh_config(5) or a default. */
export interface Connection {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly keyFile?: string
  readonly password?: Secret
  readonly becomePassword?: Secret
  /** Tasks run through sudo. */
  readonly become: boolean
  /** File of known host keys, instead of the project's and the user's own. */
  readonly knownHosts?: string
  readonly hostKeys?: HostKeys
  /** Command whose standard input and output are the connection; `%h` and `%p` stand for host and port. */
  readonly proxyCommand?: string
  /** Jump hosts, as in ProxyJump of ssh_config(5). */
  readonly proxyJump?: string
  /** Seconds. */
  readonly connectTimeout?: number
}

/** What becomes of a host whose key nobody knows yet: its key is recorded, or it is refused. */
export type HostKeys = 'accept-new' | 'strict'

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
  /** The hosts of a pattern as in `--limit`: `managers:workers`, `webservers:!rpi3`. */
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
