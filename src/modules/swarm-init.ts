import { lines } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { dockerPost } from './docker.ts'
import { membership, readMembership } from './membership.ts'
import { listen, swarmFacts, untilActive } from './swarm-member.ts'
import { swarmTrouble } from './swarm-trouble.ts'

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
 * Errors (TaskError): the host is a worker elsewhere, locked, joining, its certificate has expired; each says what to do.
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
        const { LocalNodeState: state, ControlAvailable, Error: error } = swarm ?? none
        if (state === 'active' && ControlAvailable) return undefined
        if (state !== 'inactive') throw swarmTrouble({ address: advertise, state, error })
        return {
          diff: `- no swarm\n+ a swarm led by ${advertise}`,
          apply: lines(dockerPost('/swarm/init', JSON.stringify(body)), untilActive()),
        }
      },
      facts: swarmFacts,
    },
    common,
  )
}

const none = { LocalNodeState: 'inactive', ControlAvailable: false, Error: '' } as const
