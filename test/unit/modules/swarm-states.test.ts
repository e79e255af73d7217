import assert from 'node:assert/strict'
import { TaskError } from '../../../src/errors.ts'
import {
  ghostsRemoved,
  nodeDemoted,
  nodeDrained,
  nodeLabels,
  nodeMayGo,
  nodeRemoved,
  nodesActive,
  nodesReady,
  swarmInit,
  swarmJoin,
  swarmTokens,
  swarmTrouble,
} from '../../../src/modules/index.ts'
import type { DockerInfo } from '../../../src/modules/docker.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { info } from './swarm-fixture.ts'
import { table } from './table.ts'

/*
 * What Docker 20.10 said on light hosts, three managers and a worker, without the parts that nobody reads: of `GET /info`
 * the part `Swarm`, and the answers to `GET /nodes`.
 */

const managers = [
  { NodeID: 'gkdibpw423dordnffdyr71i6p', Addr: '10.77.0.11:2377' },
  { NodeID: 'lfppyg8xdqqd0lr41k645bm53', Addr: '10.77.0.13:2377' },
  { NodeID: 'lz009bdwkci2mj9h4b9z00meo', Addr: '10.77.0.12:2377' },
]
const cluster = 'w1af3693h3fvgkm5owk3mhv7g'
const noLeader =
  "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online."

const recorded = {
  /** A join was sent to an address where nobody is. */
  joining: {
    NodeID: '',
    NodeAddr: '10.77.0.14',
    LocalNodeState: 'pending',
    RemoteManagers: [{ NodeID: '', Addr: '10.77.0.99:2377' }],
  },
  /** A worker whose Docker was started while the managers had no leader. */
  waiting: {
    NodeID: 'sl443587bct7gfqqfnurjjiib',
    NodeAddr: '10.77.0.14',
    LocalNodeState: 'pending',
    RemoteManagers: managers,
  },
  /** A manager whose Docker was started while two of three were off. */
  leaderless: {
    NodeID: 'gkdibpw423dordnffdyr71i6p',
    NodeAddr: '10.77.0.11',
    LocalNodeState: 'pending',
    ControlAvailable: true,
    Error: noLeader,
    RemoteManagers: managers,
    Cluster: { ID: '' },
  },
  worker: {
    NodeID: 'sl443587bct7gfqqfnurjjiib',
    NodeAddr: '10.77.0.14',
    LocalNodeState: 'active',
    RemoteManagers: managers,
  },
} satisfies Record<string, Partial<DockerInfo['Swarm']>>

const member = (
  ID: string,
  Hostname: string,
  Role: 'manager' | 'worker',
  State = 'ready',
  Reachability = 'reachable',
): SwarmNode => ({
  ID,
  Spec: { Labels: {}, Role, Availability: 'active' },
  Description: { Hostname },
  Status: { State },
  ...(Role === 'manager' && { ManagerStatus: { Reachability } }),
})
const rpi1 = member('gkdibpw423dordnffdyr71i6p', 'rpi1', 'manager')
const rpi2 = member('lz009bdwkci2mj9h4b9z00meo', 'rpi2', 'manager')
const rpi3 = member('lfppyg8xdqqd0lr41k645bm53', 'rpi3', 'manager')
const rpi4 = member('wl27tdussioy2duu1enm694le', 'rpi4', 'worker')
/** Right after a worker left and joined again, both were ready; half a minute later the first was down. */
const [livelyGhost, ghost] = ['ready', 'down'].map((state) =>
  member('sl443587bct7gfqqfnurjjiib', 'rpi4', 'worker', state),
) as [SwarmNode, SwarmNode]
const nodes = (...all: SwarmNode[]) => `${JSON.stringify(all)}\n`

const joined = (more: Partial<Parameters<typeof swarmJoin>[0]> = {}) =>
  swarmJoin({
    role: 'worker',
    advertise: '10.77.0.14',
    managers: ['10.77.0.11', '10.77.0.12', '10.77.0.13'],
    token: () => new Secret('SWMTKN-1-token'),
    cluster: () => cluster,
    ...more,
  })
const unasked = () => assert.fail('the token was asked for')

describe('a host that shall be in the swarm', () => {
  table([
    {
      title: 'is waited for where its join reaches nobody, and then joins anew',
      make: () => joined(),
      seen: info(recorded.joining),
      expect: 'change',
      diff: /^- joining since an earlier run\n\+ a worker of the swarm of 10\.77\.0\.11, /,
      apply: /-gt 10 [^]*\|\| \{\ndocker swarm leave --force >\/dev\/null\n[^]*swarm\/join[^]*-gt 60 /,
    },
    {
      title: 'is only waited for where it is a member that reaches nobody: it may count among the managers',
      make: () => joined({ token: unasked }),
      seen: info(recorded.waiting),
      expect: 'change',
      diff: /^- joining since an earlier run\n\+ joined$/,
      apply: /^tries=0\nwhile/,
    },
    {
      title:
        'is not taken for one of another swarm where its managers have no leader, and it does not know its own',
      make: () => joined({ role: 'manager', advertise: '10.77.0.11', token: unasked }),
      seen: info(recorded.leaderless),
      expect: 'change',
      diff: '+ joined',
    },
    {
      title: 'is told how to come from one address to another',
      make: () => joined({ advertise: '10.77.0.24', token: unasked }),
      seen: info(recorded.worker),
      expect: 'error',
      error: /^TaskError: this host has another address than in the swarm$/,
    },
  ])

  it('is given the commands for its own name', () => {
    const { next } = failure(joined({ advertise: '10.77.0.24' }), info(recorded.worker)).details
    assert.match(next ?? '', /bramble reset HOST\nthen bramble apply\nwhere most[^]*bramble reset\nthen/)
  })
})

describe('managers that lead no swarm', () => {
  const cases: Record<string, { says: RegExp; next: RegExp }> = {
    expired: {
      says: /^the certificate of rpi1 in the swarm has expired, and no manager is left/,
      next: /^make a new swarm: bramble exec managers:workers -- docker swarm leave --force\nthen bramble apply, which deploys/,
    },
    pending: {
      says: /^rpi1 is joining a swarm, and reaches none of its managers$/,
      next: /bramble exec rpi1 -- docker swarm leave --force\nthen bramble apply$/,
    },
    locked: {
      says: /^the swarm of rpi1 is locked$/,
      next: /^bramble exec rpi1 -- sh -c 'echo KEY \| docker swarm unlock'\nthen bramble apply/,
    },
    active: {
      says: /^rpi1 is a worker of a swarm that none of the managers here leads$/,
      next: /bramble exec rpi1 -- docker swarm leave --force\nthen bramble apply$/,
    },
    error: {
      says: /^the membership of rpi1 in a swarm is in state error$/,
      next: /^bramble exec rpi1 -- journalctl -u docker /,
    },
  }
  for (const [state, { says, next }] of Object.entries(cases)) {
    it(`are told what is wrong and which commands mend it: ${state}`, () => {
      const { message, details } = swarmTrouble({ name: 'rpi1', state, error: 'what Docker says' })
      assert.match(message, says)
      assert.equal(details.found, 'what Docker says')
      assert.match(details.next ?? '', next)
    })
  }

  it('get no new swarm', () => {
    const init = swarmInit({ advertise: '10.77.0.14' })
    for (const swarm of [recorded.joining, recorded.worker, recorded.waiting])
      assert.throws(() => init.plan({ code: 0, stdout: info(swarm) }), TaskError)
  })
})

describe('ghosts among the nodes', () => {
  const removed = () => ghostsRemoved({ ids: { rpi1: rpi1.ID, rpi2: rpi2.ID, rpi4: rpi4.ID } })
  table([
    {
      title: 'are none where each machine is there once',
      make: removed,
      seen: nodes(rpi1, rpi2, rpi3, rpi4),
      expect: 'ok',
    },
    {
      title: 'are taken off the list',
      make: removed,
      seen: nodes(rpi1, rpi2, rpi3, ghost, rpi4),
      expect: 'change',
      diff: /^- node rpi4 \(sl443587bct7gfqqfnurjjiib, down\)$/,
      apply: /docker node rm sl443587bct7gfqqfnurjjiib/,
    },
    {
      title: 'are waited for while they seem to live',
      make: removed,
      seen: nodes(rpi1, rpi2, rpi3, livelyGhost, rpi4),
      expect: 'wait',
      diff: '- sl443587bct7gfqqfnurjjiib, wl27tdussioy2duu1enm694le\n+ a hostname of its own for every machine',
      apply: /^:$/,
    },
    {
      title: 'are demoted first where they count among the managers',
      make: removed,
      seen: nodes(rpi1, rpi2, rpi3, member('ghost', 'rpi2', 'manager', 'down', 'unreachable')),
      expect: 'change',
      apply: /^told=\$\(docker node demote ghost 2>&1\) [^]*exit 1 [^]*docker node rm ghost/,
    },
    {
      title: 'are none of a machine that has not told who it is',
      make: removed,
      seen: nodes(rpi1, rpi2, member('ghost', 'rpi3', 'manager', 'down', 'unreachable'), rpi3),
      expect: 'ok',
    },
  ])

  it('that live on are two machines of one name', () => {
    const change = removed().plan({ code: 0, stdout: nodes(rpi1, livelyGhost, rpi4) })
    assert.equal(change?.failure?.message, '2 nodes of the swarm are called rpi4')
    assert.match(change?.failure?.details.next ?? '', /bramble exec HOST -- docker node rm --force ID/)
  })
})

describe('a swarm without a leader', () => {
  const seen = { code: 0, stdout: `${JSON.stringify({ message: noLeader })}\n` }
  const resources: Resource[] = [
    nodesReady({ names: ['rpi1'] }),
    nodesActive({ nodes: ['rpi1'] }),
    nodeDrained({ node: 'rpi4' }),
    nodeMayGo({ node: 'rpi4' }),
    nodeDemoted({ node: 'rpi2' }),
    nodeRemoved({ node: 'rpi4' }),
    nodeLabels({ labels: { rpi1: {} } }),
    ghostsRemoved({ ids: {} }),
    swarmTokens(),
  ]
  for (const one of resources) {
    it(`is given the time to choose one, and nothing is concluded from its silence: ${one.title}`, () => {
      for (const silence of [seen, { code: 28, stdout: '' }]) {
        const change = one.plan(silence)
        assert.match(change?.diff ?? '', /\n\+ more than half of the managers, which choose one of them$/)
        assert.equal(change?.waits, true)
        assert.ok(one.settle >= 30)
      }
    })
  }

  it('says what brings it back, and the last resort', () => {
    const { message, details } = resources[0]?.plan(seen)?.failure ?? new TaskError('none')
    assert.equal(message, 'the swarm has no leader: too few of its managers reach each other')
    assert.equal(details.found, noLeader)
    assert.equal(
      details.next,
      `bring the other managers back; if only Docker does not run there: bramble apply playbooks/docker.ts
only if they are lost for good, make this one the only manager: bramble exec HOST -- sh -c 'docker swarm init --force-new-cluster --advertise-addr $(docker info --format {{.Swarm.NodeAddr}})'
then bramble apply`,
    )
  })
})

function failure(one: Resource, stdout: string): TaskError {
  try {
    one.plan({ code: 0, stdout })
  } catch (error) {
    if (error instanceof TaskError) return error
  }
  return assert.fail('no TaskError')
}
