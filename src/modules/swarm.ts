import { TaskError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import {
  resource,
  type Change,
  type Common,
  type Facts,
  type Resource,
  type Seen,
} from '../playbook/resource.ts'
import { Secret } from '../secrets/secret.ts'
import { dockerGet, dockerInfo, dockerPost, parseJson, startDocker, type DockerInfo } from './docker.ts'
import { membership, readMembership } from './membership.ts'

const listen = '0.0.0.0:2377'

/**
 * A host's place in the swarm, as facts; only the daemon is started if it does not run.
 * Facts: `swarm` (`inactive`, `pending`, `active`, `error` or `locked`), and for a member `node` (its id),
 * `manager` (`true` or `false`), `address`, and `cluster` (the swarm's id).
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /info)
 * @example swarmState()
 */
export function swarmState(common: Common = {}): Resource {
  return resource(
    {
      title: 'swarm state',
      probe: membership,
      settle: 60,
      plan: (seen) => (readMembership(seen) ? undefined : startDocker()),
      facts: swarmFacts,
    },
    common,
  )
}

export interface SwarmInitOptions extends Common {
  /** The host's own static address, never the virtual one. */
  advertise: string
  /** Networks that overlay networks are cut from. Default: Docker's, 10.0.0.0/8, which may hold your LAN. */
  addressPool?: readonly string[]
  /** Prefix length of each overlay network. Default 24. */
  addressPoolSize?: number
  /** UDP port of the overlay traffic. Default 4789. */
  dataPathPort?: number
}

/**
 * The first manager of a swarm. A host that manages a swarm already is left as it is.
 * Facts: those of `swarmState()`.
 *
 * Errors (TaskError): the host is a worker elsewhere, locked, or its swarm has no leader.
 *
 * @see https://docs.docker.com/reference/cli/docker/swarm/init/
 * @example swarmInit({ advertise: '192.168.188.11', addressPool: ['10.200.0.0/16'] })
 */
export function swarmInit(options: SwarmInitOptions): Resource {
  const { advertise, addressPool = [], addressPoolSize = 24, dataPathPort, ...common } = options
  const body = {
    ListenAddr: listen,
    AdvertiseAddr: advertise,
    DataPathAddr: advertise,
    ...(dataPathPort !== undefined && { DataPathPort: dataPathPort }),
    ...(addressPool.length > 0 && { DefaultAddrPool: addressPool, SubnetSize: addressPoolSize }),
    Spec: {},
  }
  return resource(
    {
      title: `swarm led by ${advertise}`,
      probe: membership,
      settle: 60,
      plan(seen) {
        const swarm = readMembership(seen)
        if (swarm?.LocalNodeState === 'active') {
          healthy(swarm)
          if (swarm.ControlAvailable) return undefined
          throw new TaskError('this host is a worker of a swarm that none of the managers here leads', {
            expected: 'no swarm, or a manager of one',
            found: `a worker; its managers are ${managersOf(swarm).join(', ')}`,
            next: leave,
          })
        }
        if (swarm) joinable(swarm)
        return {
          diff: `- no swarm\n+ a swarm led by ${advertise}`,
          apply: lines(dockerPost('/swarm/init', JSON.stringify(body)), untilActive),
        }
      },
      facts: swarmFacts,
    },
    common,
  )
}

/**
 * The tokens that let machines into the swarm; to be asked of a manager, and only when somebody has to join.
 * Facts: `manager_token` and `worker_token`, both secret.
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /swarm)
 * @example swarmTokens()
 */
export function swarmTokens(common: Common = {}): Resource {
  return resource(
    {
      title: 'swarm join tokens',
      probe: dockerGet('/swarm'),
      plan: (seen) =>
        readTokens(seen)
          ? undefined
          : { diff: '- no join tokens: this host manages no swarm\n+ join tokens', apply: noManager },
      facts: (seen): Facts => {
        const tokens = readTokens(seen)
        return tokens
          ? { manager_token: new Secret(tokens.Manager), worker_token: new Secret(tokens.Worker) }
          : {}
      },
    },
    common,
  )
}

export interface SwarmJoinOptions extends Common {
  role: 'manager' | 'worker'
  /** The host's own static address, never the virtual one. */
  advertise: string
  /** Addresses of managers, the reachable ones first. */
  managers: readonly string[]
  /** Called only when the host has to join. */
  token: () => Secret
  /** The swarm's id, if it is known: a manager of another swarm is found out by it. */
  cluster?: () => string | undefined
}

/**
 * A member of the swarm. A member is not asked which role it has: see `nodeRoles()`.
 * Facts: those of `swarmState()`.
 *
 * Errors (TaskError): the host belongs to another swarm, is locked, or its swarm has no leader. It never leaves
 * a swarm by itself.
 *
 * @see https://docs.docker.com/reference/cli/docker/swarm/join/
 * @example
 * swarmJoin({
 *   role: 'worker',
 *   advertise: '192.168.188.14',
 *   managers: ['192.168.188.11'],
 *   token: () => new Secret('SWMTKN-1-…'),
 * })
 */
export function swarmJoin(options: SwarmJoinOptions): Resource {
  const { role, advertise, managers, token, cluster, ...common } = options
  return resource(
    {
      title: `swarm ${role} ${advertise}`,
      probe: membership,
      settle: 60,
      plan(seen) {
        const swarm = readMembership(seen)
        if (swarm?.LocalNodeState === 'active') {
          healthy(swarm)
          sameSwarm(swarm, [...managers, advertise], cluster?.())
          return undefined
        }
        if (swarm?.LocalNodeState === 'pending')
          return { diff: '- joining since an earlier run\n+ joined', apply: untilActive }
        if (swarm) joinable(swarm)
        return join(role, advertise, managers, token())
      },
      facts: swarmFacts,
    },
    common,
  )
}

function join(role: string, advertise: string, managers: readonly string[], token: Secret): Change {
  const body = {
    ListenAddr: listen,
    AdvertiseAddr: advertise,
    DataPathAddr: advertise,
    RemoteAddrs: managers.map((address) => `${address}:2377`),
    JoinToken: token.reveal(),
  }
  const request = new Secret(JSON.stringify(body), { search: false })
  // A slow machine's join may outlast the daemon's own patience of 20 s; it goes on in the background then.
  return {
    diff: `- no swarm\n+ a ${role} of the swarm of ${managers.join(', ')}`,
    apply: lines(sh`${dockerPost('/swarm/join', request)} || :`, untilActive),
  }
}

const untilActive: Sh = sh`tries=0
while :; do
  state=$(${dockerInfo}) || state=
  case $state in
    *'"LocalNodeState":"active"'*) break ;;
    *'"LocalNodeState":"pending"'*) tries=$((tries + 1)) ;;
    *) tries=100 ;;
  esac
  if [ "$tries" -gt 60 ]; then
    printf '%s\\n' "$state" | sed -n 's/.*"Swarm":{\\([^}]*\\).*/swarm: \\1/p' >&2
    echo 'the host did not become an active member of the swarm' >&2
    exit 1
  fi
  sleep 2
done`

const noManager: Sh = sh`echo 'this host is no manager of a swarm, so it has no join tokens' >&2; exit 1`

const leave =
  'if this host shall join the cluster of the inventory, run `docker swarm leave` on it (on a manager `docker swarm leave --force`), then apply again'

function swarmFacts(seen: Seen): Facts {
  const swarm = readMembership(seen)
  if (!swarm) return {}
  if (swarm.LocalNodeState === 'inactive') return { swarm: 'inactive' }
  return {
    swarm: swarm.LocalNodeState,
    node: swarm.NodeID,
    manager: String(swarm.ControlAvailable),
    address: swarm.NodeAddr,
    ...(swarm.Cluster && { cluster: swarm.Cluster.ID }),
  }
}

/** An active member whose swarm can act: a manager that sees no leader says so in Error only. */
function healthy(swarm: DockerInfo['Swarm']): void {
  if (swarm.Error === '') return
  throw new TaskError('the swarm of this host does not work', {
    expected: 'a swarm with a leader',
    found: swarm.Error,
    next: 'bring back enough managers for a majority, then apply again',
  })
}

function joinable(swarm: DockerInfo['Swarm']): void {
  const { LocalNodeState: state, Error: error } = swarm
  if (state === 'locked')
    throw new TaskError('the swarm of this host is locked', {
      found: error || state,
      next: 'run `docker swarm unlock` on it',
    })
  if (state !== 'inactive')
    throw new TaskError(`this host's membership of a swarm is in state ${state}`, {
      expected: 'inactive or active',
      found: error || state,
      next: `see \`journalctl -u docker\` on it; ${leave}`,
    })
}

function sameSwarm(
  swarm: DockerInfo['Swarm'],
  managers: readonly string[],
  cluster: string | undefined,
): void {
  const own = swarm.Cluster?.ID
  if (own !== undefined && cluster !== undefined && own !== cluster)
    throw new TaskError('this host is in another swarm', {
      expected: cluster,
      found: own,
      next: leave,
    })
  const known = managersOf(swarm)
  if (known.length > 0 && !known.some((address) => managers.includes(address)))
    throw new TaskError('this host is in a swarm with other managers', {
      expected: `one of ${managers.join(', ')} among its managers`,
      found: known.join(', '),
      next: leave,
    })
}

function managersOf(swarm: DockerInfo['Swarm']): string[] {
  return (swarm.RemoteManagers ?? []).map(({ Addr }) => Addr.replace(/:\d+$/, ''))
}

function readTokens(seen: Seen): { Manager: string; Worker: string } | undefined {
  const answer = parseJson(seen.stdout)
  return isTokens(answer) ? answer.JoinTokens : undefined
}

function isTokens(value: unknown): value is { JoinTokens: { Manager: string; Worker: string } } {
  return typeof value === 'object' && value !== null && 'JoinTokens' in value
}
