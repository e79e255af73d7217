import type { ServiceState } from '../stack/convergence.ts'

/**
 * What `bramble status -o json` prints: every key is always there, with null for what is not known or does not apply.
 * Times are ISO 8601, in UTC. docs/status.md tells users of it.
 */
export interface ClusterStatus {
  time: string
  /** There are no problems. */
  ok: boolean
  stack: string
  vip: {
    address: string
    /** Hosts that hold it: one, when all is well. */
    holders: string[]
  }
  nodes: NodeStatus[]
  /** Null when no manager told. */
  services: ServiceState[] | null
  /** What each load balancer's HAProxy says. */
  balancers: BalancerStatus[]
  /** The worst first. */
  problems: Problem[]
}

export interface NodeStatus {
  name: string
  address: string
  reachable: boolean
  /** Why it is not reachable. */
  error: string | null
  /** In the swarm; null when it is not in it, or no manager told. */
  role: 'manager' | 'worker' | null
  leader: boolean | null
  /** `active`, `drain` or `pause`. */
  availability: string | null
  /** `ready`, `down`, `disconnected` or `unknown`. */
  state: string | null
  /** Mean of the last minute. */
  load: number | null
  temperature_c: number | null
  up_since: string | null
  disk_free_mb: number | null
  /** Seconds ahead of this computer. */
  clock_offset_s: number | null
  os: string | null
  kernel: string | null
  docker: string | null
  /** Of the node in the swarm; Docker renews it. */
  certificate: { from: string; until: string } | null
  /** The mount of the NFS share; null where there is to be none. */
  share: Share | null
  /** What is served; null where no mirror is kept. */
  content: Content | null
}

export interface Share {
  path: string
  mounted: boolean
  /** A look at it came back in time. */
  answers: boolean
  /** What the look at it failed with. */
  error: string | null
}

export interface Content {
  /** `nfs` or `mirror`. */
  source: string
  since: string | null
  /** Why the mirror is served. */
  reason: string | null
  /** Why the mirror was not refreshed at the last try. */
  error: string | null
  /** When the mirror was last found to be, or made, what the share is. */
  refreshed: string | null
  /** Size of the mirror. */
  bytes: number | null
  files: number | null
}

export interface BalancerStatus {
  name: string
  /** Why it told nothing. */
  error: string | null
  servers: ServerStatus[]
}

export interface ServerStatus {
  name: string
  up: boolean
  /** HAProxy's own word: `UP`, `DOWN`, `UP 1/2` on its way down, `DOWN 1/2` on its way up, `MAINT`, … */
  status: string
  since: string
  /** What the last health check met: `L7OK`, `L4CON: Connection refused`. */
  check: string
}

export interface Problem {
  /** Where; none when it is the cluster as a whole. */
  hosts: string[]
  what: string
  /** What to do, where the commands do not say it by themselves. */
  next: string | null
  /** Commands that mend it or tell more, in their order. */
  commands: string[]
}
