import { sh, type Sh } from '../playbook/sh.ts'
import type { Facts, Seen } from '../playbook/resource.ts'
import { dockerInfo } from './docker.ts'
import { readMembership, type Membership } from './membership.ts'

export const listen = '0.0.0.0:2377'

/** Waits until the host is an active member; it looks every two seconds. */
export const untilActive = (looks = 60): Sh => sh`tries=0
while :; do
  state=$(${dockerInfo}) || state=
  case $state in
    *'"LocalNodeState":"active"'*) break ;;
    *'"LocalNodeState":"pending"'*) tries=$((tries + 1)) ;;
    *) tries=100 ;;
  esac
  if [ "$tries" -gt ${looks} ]; then
    printf '%s\\n' "$state" | sed -n 's/.*"Swarm":{\\([^}]*\\).*/swarm: \\1/p' >&2
    echo 'the host did not become an active member of the swarm' >&2
    exit 1
  fi
  sleep 2
done`

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

export function managersOf(swarm: Membership): string[] {
  return (swarm.RemoteManagers ?? []).map(({ Addr }) => Addr.replace(/:\d+$/, ''))
}
