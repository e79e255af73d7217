import assert from 'node:assert/strict'
import {
  nodeDemoted,
  nodeDrained,
  nodeMayGo,
  nodeRemoved,
  nodesActive,
  swarmLeft,
} from '../../../src/modules/index.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'
import { info, manager as leading, node } from './swarm-fixture.ts'
import { table } from './table.ts'

const nodes = (...all: SwarmNode[]) => `${JSON.stringify(all)}\n`
const tasks = (...states: string[]) =>
  `${JSON.stringify([
    ...states.map((State, index) => ({ ID: `task${index}`, NodeID: 'id-rpi3', Status: { State } })),
    { ID: 'other', NodeID: 'id-ghost', Status: { State: 'running' } },
  ])}\n`
const drained = {
  Spec: { Role: 'worker', Availability: 'drain', Labels: { 'bramble.drained': 'true' } },
} as const
const down = { Status: { State: 'down' } }
const managing = (reachability = 'reachable'): Partial<SwarmNode> => ({
  Spec: { Role: 'manager', Availability: 'active' },
  ManagerStatus: { Reachability: reachability },
})

const silent = { code: 7, stdout: '' }
const unknowing = /this host does not know the nodes of the swarm/

const drainRpi3 = () => nodeDrained({ node: 'rpi3', withoutLabels: ['bramble.vip'] })

describe('nodeDrained', () => {
  table([
    {
      title: 'drains a node and marks it',
      make: drainRpi3,
      seen: nodes(node('rpi3')) + tasks('running'),
      expect: 'change',
      diff: '- rpi3: active\n+ rpi3: drain',
      apply: "docker node update --availability drain --label-add 'bramble.drained=true' id-rpi3",
    },
    {
      title: 'takes labels off at the same time, of those that the node has',
      make: drainRpi3,
      seen: nodes(node('rpi3', { 'bramble.vip': 'true' })) + tasks(),
      expect: 'change',
      apply: '--label-rm bramble.vip id-rpi3',
    },
    {
      title: 'waits for tasks that still run',
      make: drainRpi3,
      seen: nodes(node('rpi3', {}, drained)) + tasks('shutdown', 'running'),
      expect: 'wait',
      diff: /^- rpi3: task task1 is running\n\+ rpi3: no tasks$/,
      apply: /^:$/,
    },
    {
      title: 'waits where Docker says something else than which tasks there are',
      make: drainRpi3,
      seen: `${nodes(node('rpi3', {}, drained))}{"message":"rpc error: code = Unavailable"}\n`,
      expect: 'wait',
      diff: /^- rpi3: tasks that are not told: .*Unavailable.*\n\+ rpi3: no tasks$/,
      apply: /^:$/,
    },
    {
      title: 'is done when all tasks have ended',
      make: drainRpi3,
      seen: nodes(node('rpi3', {}, drained)) + tasks('shutdown', 'failed', 'complete'),
      expect: 'ok',
    },
    {
      title: 'does not wait for a node that is down',
      make: drainRpi3,
      seen: nodes(node('rpi3', {}, { ...drained, ...down })) + tasks('running'),
      expect: 'ok',
    },
    {
      title: 'has nothing to do with a node that is not there',
      make: drainRpi3,
      seen: nodes(),
      expect: 'ok',
    },
    {
      title: 'has nothing to do where there is no swarm',
      make: drainRpi3,
      seen: `{"message":"This node is not a swarm manager."}\n`,
      expect: 'ok',
    },
    {
      title: 'takes no silence of Docker for a node that is not there',
      make: drainRpi3,
      seen: silent,
      expect: 'error',
      error: unknowing,
    },
  ])
})

const activate = () => nodesActive({ nodes: ['rpi3'] })

describe('nodesActive', () => {
  table([
    {
      title: 'takes back a node that was drained here',
      make: activate,
      seen: nodes(node('rpi3', {}, drained), node('rpi4', {}, drained)),
      expect: 'change',
      diff: /^- rpi3: drain\n\+ rpi3: active$/,
      apply: /for id in id-rpi3; do\n.*--availability active --label-rm bramble\.drained/,
    },
    {
      title: 'leaves a node alone that somebody else drained',
      make: activate,
      seen: nodes(node('rpi3', {}, { Spec: { Role: 'worker', Availability: 'drain' } })),
      expect: 'ok',
    },
  ])

  it('tells which nodes somebody else took out of service', () => {
    const stdout = nodes(
      node('rpi1'),
      node('rpi2', {}, { Spec: { Role: 'worker', Availability: 'drain' } }),
      node('rpi3', {}, drained),
      node('rpi4', {}, { Spec: { Role: 'worker', Availability: 'pause' } }),
    )
    assert.deepEqual(activate().facts?.({ code: 0, stdout }), { out_of_service: 'rpi2 rpi4' })
  })
})

const mayGo =
  (dead = false) =>
  () =>
    nodeMayGo({ node: 'rpi2', dead })

describe('nodeMayGo', () => {
  const three = [node('rpi1', {}, managing()), node('rpi2', {}, managing()), node('rpi3', {}, managing())]
  table([
    { title: 'lets one of three managers go', make: mayGo(), seen: nodes(...three), expect: 'ok' },
    {
      title: 'lets nobody go on the word of a host whose Docker is silent',
      make: mayGo(),
      seen: silent,
      expect: 'error',
      error: unknowing,
    },
    {
      title: 'lets nobody go on the word of a host that manages no swarm',
      make: mayGo(),
      seen: '{"message":"This node is not a swarm manager."}\n',
      expect: 'error',
      error: unknowing,
    },
    {
      title: 'lets a worker go whatever the managers are',
      make: mayGo(),
      seen: nodes(node('rpi1', {}, managing()), node('rpi2')),
      expect: 'ok',
    },
    {
      title: 'refuses what would cost the majority, and says why',
      make: mayGo(),
      seen: nodes(
        node('rpi1', {}, managing()),
        node('rpi2', {}, managing()),
        node('rpi3', {}, { ...managing('unreachable'), ...down }),
      ),
      expect: 'error',
      error: /without rpi2 the swarm would have no majority of managers/,
    },
    {
      title: 'refuses the only manager',
      make: mayGo(),
      seen: nodes(node('rpi2', {}, managing())),
      expect: 'error',
      error: /no majority/,
    },
    {
      title: 'takes a dead manager for what it is, if most of the others are there',
      make: mayGo(true),
      seen: nodes(
        node('rpi1', {}, managing()),
        node('rpi2', {}, { ...managing('unreachable'), ...down }),
        node('rpi3', {}, managing()),
      ),
      expect: 'ok',
    },
    {
      title: 'believes no --dead of a node that is alive',
      make: mayGo(true),
      seen: nodes(...three),
      expect: 'error',
      error: /rpi2 is alive/,
    },
  ])
})

const demoted = () => nodeDemoted({ node: 'rpi2' })

describe('nodeDemoted', () => {
  table([
    { title: 'leaves a worker alone', make: demoted, seen: nodes(node('rpi2')), expect: 'ok' },
    {
      title: 'demotes a manager',
      make: demoted,
      seen: nodes(node('rpi1', {}, managing()), node('rpi2', {}, managing())),
      expect: 'change',
      apply: /^docker node demote id-rpi2 >\/dev\/null$/,
    },
  ])
})

const removed = () => nodeRemoved({ node: 'rpi2', keep: ['new'] })

describe('nodeRemoved', () => {
  table([
    { title: 'is content without an entry', make: removed, seen: nodes(node('rpi1')), expect: 'ok' },
    {
      title: 'keeps the entry of the live machine',
      make: removed,
      seen: nodes(node('rpi2', {}, { ID: 'new' })),
      expect: 'ok',
    },
    {
      title: 'removes a ghost once the swarm takes it for down',
      make: removed,
      seen: nodes(node('rpi2', {}, { ID: 'ghost', ...down }), node('rpi2', {}, { ID: 'new' })),
      expect: 'change',
      diff: /^- node rpi2 \(ghost, down\)$/,
      apply: /until \[ "\$\(docker node inspect [^]*= down \][^]*docker node rm ghost/,
    },
    {
      title: 'demotes the ghost of a manager first',
      make: removed,
      seen: nodes(
        node('rpi1', {}, managing()),
        node('rpi2', {}, { ID: 'ghost', ...managing('unreachable'), ...down }),
      ),
      expect: 'change',
      apply: /^told=\$\(docker node demote ghost 2>&1\) [^]*exit 1 [^]*docker node rm ghost/,
    },
  ])
})

const left =
  (force: boolean | 'late' = false) =>
  () =>
    swarmLeft({ force })

describe('swarmLeft', () => {
  table([
    { title: 'is content in no swarm', make: left(), seen: info(), expect: 'ok' },
    { title: 'is content where no daemon is', make: left(), seen: { code: 7, stdout: '' }, expect: 'ok' },
    {
      title: 'starts the Docker of a member that is stopped, and leaves then',
      make: left(),
      seen: 'stopped\n',
      expect: 'change',
      diff: '- swarm: a member whose Docker is stopped\n+ swarm: inactive',
      apply: /^systemctl start -- docker[^]*until docker swarm leave >/,
    },
    {
      title: 'leaves, and waits until it is no manager any more',
      make: left(),
      seen: info(leading),
      expect: 'change',
      diff: '- swarm: active\n+ swarm: inactive',
      apply: /until docker swarm leave >/,
    },
    {
      title: 'leaves by force where it has been demoted and does not hear of it',
      make: left('late'),
      seen: info(leading),
      expect: 'change',
      apply: /^tries=0\nuntil docker swarm leave >[^]*-lt 30 \] \|\| \{ docker swarm leave --force >/,
    },
    {
      title: 'leaves by force at once only if told to',
      make: left(true),
      seen: info(leading),
      expect: 'change',
      apply: /^docker swarm leave --force/,
    },
  ])
})
