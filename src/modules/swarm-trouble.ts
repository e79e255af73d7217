import { TaskError } from '../errors.ts'

/** What a host that cannot be a member of the cluster's swarm as it is says of itself. */
export interface Trouble {
  /** The host's name in the inventory. Default: `this host`, and `HOST` in commands, where errors fill it in. */
  name?: string
  /** As the fact `swarm` of `swarmState()` tells it. */
  state: string
  /** What Docker says of it. */
  error?: string
}

/** Makes the only manager of its swarm of the one that it runs on; services, configs and secrets are kept. */
export const forceNewCluster = (address: string): string =>
  `docker swarm init --force-new-cluster --advertise-addr ${address}`

/** What a host that is in the wrong swarm, or in none that works, has to do; whatever it ran there ends. */
export const leaveByForce = (name: string): string => `bramble exec ${name} -- docker swarm leave --force`

/**
 * Why nothing can be done about the swarm from a host in this state, and the commands that mend it.
 *
 * @see https://docs.docker.com/engine/swarm/admin_guide/#recover-from-disaster
 * @example swarmTrouble({ name: 'rpi1', state: 'locked' })
 */
export function swarmTrouble({ name, state, error = '' }: Trouble): TaskError {
  const host = { called: name ?? 'this host', pattern: name ?? 'HOST' }
  const { what, next } = (troubles[state] ?? unknown(state))(host)
  return new TaskError(what, { expected: 'no swarm, or a swarm that works', found: error || state, next })
}

/** `called`: in a sentence. `pattern`: in a command. */
type Told = (host: { called: string; pattern: string }) => { what: string; next: string }

const troubles: Readonly<Record<string, Told>> = {
  expired: ({ called }) => ({
    what: `the certificate of ${called} in the swarm has expired, and no manager is left that could give it a new one`,
    next: `make a new swarm: ${leaveByForce('managers:workers')}
then bramble apply, which deploys the stack in it; what you deployed besides, you have to deploy again`,
  }),
  pending: ({ called, pattern }) => ({
    what: `${called} is joining a swarm, and reaches none of its managers`,
    next: `give the joining up: ${leaveByForce(pattern)}
then bramble apply`,
  }),
  locked: ({ called, pattern }) => ({
    what: `the swarm of ${called} is locked`,
    next: `bramble exec ${pattern} -- sh -c 'echo KEY | docker swarm unlock'
then bramble apply; the KEY is what \`docker swarm unlock-key\` shows on another manager`,
  }),
  active: ({ called, pattern }) => ({
    what: `${called} is a worker of a swarm that none of the managers here leads`,
    next: `if it shall belong to this cluster: ${leaveByForce(pattern)}
then bramble apply`,
  }),
}

function unknown(state: string): Told {
  return ({ called, pattern }) => ({
    what: `the membership of ${called} in a swarm is in state ${state}`,
    next: `bramble exec ${pattern} -- journalctl -u docker -n 30 --no-pager
if it does not work again: ${leaveByForce(pattern)}
then bramble apply`,
  })
}
