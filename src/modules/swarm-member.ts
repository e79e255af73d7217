import { TaskError } from '../errors.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import type { Facts, Seen } from '../playbook/resource.ts'
import { dockerInfo, type DockerInfo } from './docker.ts'
import { readMembership } from './membership.ts'

export const listen = '0.0.0.0:2377'

export const untilActive: Sh = sh`tries=0
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

export const leave =
  'if this host shall join the cluster of the inventory, run `docker swarm leave` on it (on a manager `docker swarm leave --force`), then apply again'

export function swarmFacts(seen: Seen): Facts {
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
export function healthy(swarm: DockerInfo['Swarm']): void {
  if (swarm.Error === '') return
  throw new TaskError('the swarm of this host does not work', {
    expected: 'a swarm with a leader',
    found: swarm.Error,
    next: 'bring back enough managers for a majority, then apply again',
  })
}

export function joinable(swarm: DockerInfo['Swarm']): void {
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

export function managersOf(swarm: DockerInfo['Swarm']): string[] {
  return (swarm.RemoteManagers ?? []).map(({ Addr }) => Addr.replace(/:\d+$/, ''))
}
