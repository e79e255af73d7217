import { nodesReady } from '../../../src/modules/nodes-ready.ts'
import { table } from './table.ts'

const node = (name: string, state: string, manager?: string) => ({
  ID: `id-${name}`,
  Spec: { Role: manager === undefined ? 'worker' : 'manager', Availability: 'active' },
  Description: { Hostname: name },
  Status: { State: state },
  ...(manager !== undefined && { ManagerStatus: { Reachability: manager } }),
})
const make = () => nodesReady({ names: ['rpi1', 'rpi4'] })

describe('nodesReady', () => {
  table([
    {
      title: 'is content when every named node is ready, and asks for no other',
      make,
      seen: JSON.stringify([node('rpi1', 'ready', 'reachable'), node('rpi4', 'ready'), node('rpi9', 'down')]),
      expect: 'ok',
    },
    {
      title: 'waits for a node that is down',
      make,
      seen: JSON.stringify([node('rpi1', 'ready', 'reachable'), node('rpi4', 'down')]),
      expect: 'wait',
      diff: '- rpi4: down\n+ rpi4: ready',
      apply: ':',
    },
    {
      title: 'waits for a manager that the others do not reach',
      make,
      seen: JSON.stringify([node('rpi1', 'ready', 'unreachable'), node('rpi4', 'ready')]),
      expect: 'wait',
      diff: '- rpi1: manager, unreachable\n+ rpi1: ready',
    },
    {
      title: 'names a node that is not in the swarm',
      make,
      seen: JSON.stringify([node('rpi1', 'ready', 'reachable')]),
      expect: 'wait',
      diff: '- rpi4: not in the swarm\n+ rpi4: ready',
    },
  ])
})
