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
export function swarmTrouble({ name = 'HOST', state, error = '' }: Trouble): TaskError {
  const told = troubles[state]?.(name) ?? unknown(name, state)
  const [what, next] = [told.what.replace('HOST', 'this host'), told.next]
  return new TaskError(what, { expected: 'no swarm, or a swarm that works', found: error || state, next })
}

type Told = (name: string) => { what: string; next: string }

const troubles: Readonly<Record<string, Told>> = {
  expired: (name) => ({
    what: `the certificate of ${name} in the swarm has expired, and no manager is left that could give it a new one`,
    next: `make a new swarm: ${leaveByForce('managers:workers')}
then bramble apply, which deploys the stack in it; what you deployed besides, you have to deploy again`,
  }),
  pending: (name) => ({
    what: `${name} is joining a swarm, and reaches none of its managers`,
    next: `give the joining up: ${leaveByForce(name)}
then bramble apply`,
  }),
  locked: (name) => ({
    what: `the swarm of ${name} is locked`,
    next: `bramble exec ${name} -- sh -c 'echo KEY | docker swarm unlock'
then bramble apply; the KEY is what \`docker swarm unlock-key\` shows on another manager`,
  }),
  active: (name) => ({
    what: `${name} is a worker of a swarm that none of the managers here leads`,
    next: `if it shall belong to this cluster: ${leaveByForce(name)}
then bramble apply`,
  }),
}

function unknown(name: string, state: string): { what: string; next: string } {
  return {
    what: `the membership of ${name} in a swarm is in state ${state}`,
    next: `bramble exec ${name} -- journalctl -u docker -n 30 --no-pager
if it does not work again: ${leaveByForce(name)}
then bramble apply`,
  }
}
