import { X509Certificate } from 'node:crypto'
import type { Seen } from '../playbook/resource.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import { daemonRuns, dockerAsk, parseJson, readInfo, type DockerInfo } from './docker.ts'

const directory = '/var/lib/docker/swarm'

/**
 * A host's place in the swarm. A settled member's is told by its certificate, which says who it is, in which swarm,
 * and as what: reading it takes a slow Pi a tenth of what asking the daemon takes. Where there is none, or no
 * daemon, the daemon is asked. Whether a settled member is well, the managers know: see `nodesReady()`.
 *
 * @see https://docs.docker.com/engine/swarm/how-swarm-mode-works/pki/
 */
export const membership: Sh = membershipWithin(20)

/** The same, where the daemon is given this many seconds if it has to be asked. */
export function membershipWithin(seconds: number): Sh {
  return sh`if [ -e ${`${directory}/certificates/swarm-node.crt`} ] && ${daemonRuns}; then
  # A manager of a swarm with autolock may wait to be unlocked: only the daemon knows.
  read -r key <${`${directory}/certificates/swarm-node.key`} || :
  case $key in
    *ENCRYPTED*) ;;
    *) exec cat ${`${directory}/certificates/swarm-node.crt`} ${`${directory}/docker-state.json`} ;;
  esac
fi
${dockerAsk({ paths: ['/info'], seconds })}`
}

/** The same of a member whose Docker is stopped, too: it comes back into its place with the machine. */
export const identity: Sh = sh`[ ! -e ${`${directory}/certificates/swarm-node.crt`} ] || exec cat ${`${directory}/certificates/swarm-node.crt`} ${`${directory}/docker-state.json`}
${membership}`

/** A host's place in the swarm. Docker takes a member whose certificate has expired for one in state `error`. */
export type Membership = Omit<DockerInfo['Swarm'], 'LocalNodeState'> & {
  LocalNodeState: DockerInfo['Swarm']['LocalNodeState'] | 'expired'
}

/** What `membership` printed; undefined when no daemon answers. */
export function readMembership(seen: Seen): Membership | undefined {
  const certificate = nodeCertificate(seen)
  if (!certificate) return readInfo(seen)?.Swarm
  const until = new Date(certificate.validTo)
  const expired = until.getTime() < (seen.answered ?? Date.now())
  const subject = new Map(
    certificate.subject.split('\n').map((part) => part.split('=', 2) as [string, string]),
  )
  const state = parseJson(seen.stdout.slice(seen.stdout.lastIndexOf('-----') + 5)) as State | undefined
  return {
    NodeID: subject.get('CN') ?? '',
    NodeAddr: (state?.AdvertiseAddr ?? '').replace(/:\d+$/, ''),
    LocalNodeState: expired ? 'expired' : state?.JoinInProgress ? 'pending' : 'active',
    ControlAvailable: subject.get('OU') === 'swarm-manager',
    Error: expired ? `its certificate was valid until ${until.toISOString()}` : '',
    Cluster: { ID: subject.get('O') ?? '' },
  }
}

/** The certificate that a settled member has shown to be one. */
export function nodeCertificate({ stdout }: Seen): X509Certificate | undefined {
  return stdout.startsWith('-----BEGIN CERTIFICATE-----') ? new X509Certificate(stdout) : undefined
}

/** What is used of docker-state.json. */
interface State {
  AdvertiseAddr?: string
  JoinInProgress?: boolean
}
