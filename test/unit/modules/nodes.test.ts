import { laterNodeLabels, nodeLabels, nodeRoles } from '../../../src/modules/index.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'
import { node } from './swarm-fixture.ts'
import { table } from './table.ts'

const nodes = (...all: SwarmNode[]) => `${JSON.stringify(all)}\n`
const web = { 'bramble.webserver': 'true' }
const down = { ID: 'ghost', Status: { State: 'down' } }
const promoted = (reachability: string): Partial<SwarmNode> => ({
  Spec: { Role: 'manager', Availability: 'active' },
  ManagerStatus: { Reachability: reachability },
})

describe('nodeLabels', () => {
  const make = () => nodeLabels({ labels: { rpi1: web } })
  const onBoth = () =>
    nodeLabels({ labels: { rpi1: web, rpi2: web }, optional: ['rpi1'], later: ['bramble.webserver'] })
  table([
    { title: 'are left alone when they are so', make, seen: nodes(node('rpi1', web)), expect: 'ok' },
    {
      title: 'are added',
      make,
      seen: nodes(node('rpi1')),
      expect: 'change',
      diff: '+ rpi1: bramble.webserver=true',
      apply: "docker node update --label-add 'bramble.webserver=true' id-rpi1",
    },
    {
      title: 'are left for later while another node has them',
      make: onBoth,
      seen: nodes(node('rpi1', web), node('rpi2')),
      expect: 'ok',
    },
    ...[
      { what: 'has them', other: node('rpi1') },
      { what: 'that is ready has them', other: node('rpi1', web, down) },
      { what: 'keeps them', other: node('rpi3', web) },
    ].map(({ what, other }) => ({
      title: `are added at once when no other node ${what}`,
      make: onBoth,
      seen: nodes(other, node('rpi2')),
      expect: 'change' as const,
      diff: /\+ rpi2: bramble\.webserver=true/,
    })),
    {
      title: 'are removed if they are bramble’s and not wanted any more',
      make,
      seen: nodes(node('rpi1', { ...web, 'bramble.old': '1', rack: '3' })),
      expect: 'change',
      diff: /^- rpi1: bramble.old=1$/,
      apply: 'docker node update --label-rm bramble.old id-rpi1',
    },
    {
      title: 'of other people and other nodes are none of its business',
      make,
      seen: nodes(node('rpi1', { ...web, rack: '3' }), node('rpi9', { 'bramble.old': '1' })),
      expect: 'ok',
    },
    {
      title: 'go to the live node, not to its ghost',
      make,
      seen: nodes(node('rpi1', web, down), node('rpi1')),
      expect: 'change',
      apply: 'id-rpi1',
    },
    {
      title: 'go to the node that the host says it is',
      make: () => nodeLabels({ labels: { rpi1: web }, ids: { rpi1: 'new' } }),
      seen: nodes(node('rpi1', web), node('rpi1', {}, { ID: 'new' })),
      expect: 'change',
      apply: 'new',
    },
    {
      title: 'wait until one of two nodes of a name is known to be gone',
      make,
      seen: nodes(node('rpi1'), node('rpi1', {}, { ID: 'other' })),
      expect: 'wait',
      diff: '- id-rpi1, other\n+ a hostname of its own for every machine',
      apply: /^:$/,
    },
    {
      title: 'wait for a node that has yet to appear',
      make,
      seen: nodes(),
      expect: 'change',
      apply: 'until docker node inspect rpi1',
    },
    {
      title: 'do not wait for one that need not be there',
      make: () => nodeLabels({ labels: { rpi1: web, rpi5: web }, optional: ['rpi5'] }),
      seen: nodes(node('rpi1', web)),
      expect: 'ok',
    },
    {
      title: 'can be planned where no swarm is managed yet',
      make,
      seen: '{"message":"This node is not a swarm manager."}\n',
      expect: 'change',
    },
  ])
})

describe('laterNodeLabels', () => {
  const make = () =>
    laterNodeLabels({
      labels: { rpi1: web, rpi2: { ...web, 'bramble.other': 'true' }, rpi4: web },
      optional: ['rpi4'],
      later: ['bramble.webserver'],
    })
  table([
    {
      title: 'are added once the others have theirs, and nothing else is',
      make,
      seen: nodes(node('rpi1', web), node('rpi2', { 'bramble.old': 'true' })),
      expect: 'change',
      diff: '+ rpi2: bramble.webserver=true',
      apply: "docker node update --label-add 'bramble.webserver=true' id-rpi2",
    },
    {
      title: 'are none when all have them',
      make,
      seen: nodes(node('rpi1', web), node('rpi2', web)),
      expect: 'ok',
    },
    {
      title: 'are none where nothing has been left for later',
      make,
      seen: nodes(node('rpi1'), node('rpi2')),
      expect: 'ok',
    },
    {
      title: 'are none where no swarm is managed yet',
      make,
      seen: '{"message":"This node is not a swarm manager."}\n',
      expect: 'ok',
    },
  ])
})

const roles = () => nodeRoles({ roles: { rpi1: 'manager', rpi4: 'worker' } })

describe('nodeRoles', () => {
  table([
    {
      title: 'are left alone when they are so',
      make: roles,
      seen: nodes(node('rpi1', {}, promoted('reachable')), node('rpi4')),
      expect: 'ok',
    },
    {
      title: 'are changed by promoting before demoting',
      make: roles,
      seen: nodes(node('rpi1'), node('rpi4', {}, promoted('reachable'))),
      expect: 'change',
      apply: /promote id-rpi1[^]*reachable[^]*demote id-rpi4/,
    },
    {
      title: 'wait until a promoted node can be reached',
      make: roles,
      seen: nodes(node('rpi1', {}, promoted('unknown')), node('rpi4')),
      expect: 'wait',
      diff: 'not reachable yet',
      apply: /^:$/,
    },
    {
      title: 'are not taken from a manager before the others can be reached',
      make: roles,
      seen: nodes(node('rpi1', {}, promoted('unknown')), node('rpi4', {}, promoted('reachable'))),
      expect: 'change',
      apply: /^(?![^]*promote id)[^]*inspect[^]*id-rpi1[^]*demote id-rpi4/,
    },
    {
      title: 'of a manager that is down are no reason to wait',
      make: roles,
      seen: nodes(node('rpi1', {}, { ...promoted('unreachable'), Status: { State: 'down' } }), node('rpi4')),
      expect: 'ok',
    },
    {
      title: 'of a node that is not in the swarm yet are given when it joins',
      make: roles,
      seen: nodes(node('rpi1', {}, promoted('reachable'))),
      expect: 'ok',
    },
    {
      title: 'leave a manager to the swarm',
      make: () => nodeRoles({ roles: { rpi1: 'worker' } }),
      seen: nodes(),
      expect: 'error',
      error: /no host is a manager/,
    },
  ])
})
