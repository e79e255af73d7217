import assert from 'node:assert/strict'
import { swarmInit, swarmJoin, swarmState, swarmTokens } from '../../../src/modules/index.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { info, manager, worker } from './swarm-fixture.ts'
import { table } from './table.ts'

const notManager = '{"message":"This node is not a swarm manager."}\n'

const facts = (stdout: string, code = 0) => swarmState().facts?.({ code, stdout })

describe('swarmState', () => {
  it('tells a manager from a worker', () => {
    assert.deepEqual(facts(info(manager)), {
      swarm: 'active',
      node: 'id1',
      manager: 'true',
      address: '192.168.188.11',
      cluster: 'cluster1',
    })
    assert.deepEqual(facts(info(worker)), {
      swarm: 'active',
      node: 'id4',
      manager: 'false',
      address: '192.168.188.14',
    })
  })

  it('tells nothing of a host whose daemon does not answer, rather than that it is in no swarm', () => {
    assert.deepEqual(facts('', 7), {})
    assert.deepEqual(facts(info()), { swarm: 'inactive' })
  })
})

const init = () =>
  swarmInit({ advertise: '192.168.188.11', addressPool: ['10.200.0.0/16'], addressPoolSize: 25 })

describe('swarmInit', () => {
  table([
    {
      title: 'makes a swarm on a host that is in none',
      make: init,
      seen: info(),
      expect: 'change',
      apply: '"DataPathAddr":"192.168.188.11","DefaultAddrPool":["10.200.0.0/16"],"SubnetSize":25',
    },
    {
      title: 'plans on a host without Docker',
      make: init,
      seen: { code: 127, stdout: '' },
      expect: 'change',
    },
    { title: 'leaves a manager alone', make: init, seen: info(manager), expect: 'ok' },
    {
      title: 'refuses a worker of another swarm',
      make: init,
      seen: info(worker),
      expect: 'error',
      error: /worker of a swarm/,
    },
    {
      title: 'says when the swarm is locked',
      make: init,
      seen: info({ LocalNodeState: 'locked' }),
      expect: 'error',
      error: /is locked/,
    },
  ])
})

describe('swarmTokens', () => {
  it('tells both tokens as secrets', () => {
    const stdout = '{"JoinTokens":{"Worker":"SWMTKN-1-w","Manager":"SWMTKN-1-m"}}'
    const facts = swarmTokens().facts?.({ code: 0, stdout })
    assert.equal(JSON.stringify(facts), '{"manager_token":"***","worker_token":"***"}')
    assert.ok(facts?.['worker_token'] instanceof Secret)
    assert.equal(facts['worker_token'].reveal(), 'SWMTKN-1-w')
  })

  table([
    {
      title: 'fails on a host that is no manager',
      make: () => swarmTokens(),
      seen: notManager,
      expect: 'change',
      apply: 'exit 1',
    },
  ])
})

const join = (more: Partial<Parameters<typeof swarmJoin>[0]> = {}) =>
  swarmJoin({
    role: 'worker',
    advertise: '192.168.188.14',
    managers: ['192.168.188.11', '192.168.188.12'],
    token: () => new Secret('SWMTKN-1-token'),
    ...more,
  })

const unasked = () => assert.fail('the token was asked for')

describe('swarmJoin', () => {
  table([
    {
      title: 'joins with its own address for control and data',
      make: () => join(),
      seen: info(),
      expect: 'change',
      diff: '+ a worker of the swarm of 192.168.188.11, 192.168.188.12',
      apply: '"AdvertiseAddr":"192.168.188.14","DataPathAddr":"192.168.188.14"',
    },
    {
      title: 'waits for a join that is under way, and gives it up for a new one if it comes to nothing',
      make: () => join(),
      seen: info({ LocalNodeState: 'pending' }),
      expect: 'change',
      diff: '- joining since an earlier run',
      apply: /-gt 10 [^]*\|\| \{\ndocker swarm leave --force >\/dev\/null\n[^]*swarm\/join[^]*-gt 60 /,
    },
    {
      title: 'only waits for one that has its certificate already, without the token',
      make: () => join({ token: unasked }),
      seen: info({ LocalNodeState: 'pending', NodeID: 'id4' }),
      expect: 'change',
      diff: '- joining since an earlier run\n+ joined',
      apply: /^tries=0\nwhile/,
    },
    {
      title: 'leaves a member alone, without the token',
      make: () => join({ token: unasked }),
      seen: info(worker),
      expect: 'ok',
    },
    {
      title: 'refuses a member of a swarm with other managers',
      make: () => join({ managers: ['192.168.188.99'] }),
      seen: info(worker),
      expect: 'error',
      error: /other managers/,
    },
    {
      title: 'refuses a manager of another swarm',
      make: () => join({ cluster: () => 'cluster2' }),
      seen: info(manager),
      expect: 'error',
      error: /another swarm/,
    },
    {
      title: 'refuses a membership that has gone wrong',
      make: () => join(),
      seen: info({ LocalNodeState: 'error', Error: 'certificate has expired' }),
      expect: 'error',
      error: /in state error/,
    },
  ])

  it('does not show the token', () => {
    assert.doesNotMatch(join().plan({ code: 0, stdout: info() })?.diff ?? '', /SWMTKN/)
  })
})
