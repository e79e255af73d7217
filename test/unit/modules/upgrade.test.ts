import assert from 'node:assert/strict'
import {
  aptLists,
  aptUpgraded,
  aptUpgrades,
  balancerReady,
  stackRemoved,
  vipReleased,
} from '../../../src/modules/index.ts'
import { table } from './table.ts'

// As Debian 12's apt-get --simulate prints it.
const simulated = `Inst libssl3 [3.0.15-1~deb12u1] (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
Inst linux-image-6.1.0-32-amd64 (6.1.129-1 Debian:12.10/stable [amd64])
Conf libssl3 (3.0.16-1~deb12u1 Debian-Security:12/stable-security [amd64])
`

const upgraded = () => aptUpgraded()

describe('aptUpgraded', () => {
  table([
    { title: 'is content when apt has nothing to upgrade', make: upgraded, seen: '', expect: 'ok' },
    {
      title: 'upgrades what apt says, and removes nothing',
      make: upgraded,
      seen: simulated,
      expect: 'change',
      diff: '- libssl3 3.0.15-1~deb12u1\n+ libssl3 3.0.16-1~deb12u1\n- linux-image-6.1.0-32-amd64 (not installed)\n+ ',
      apply: '--with-new-pkgs upgrade',
    },
    {
      title: 'finishes a dpkg that was cut short',
      make: upgraded,
      seen: { code: 100, stdout: '' },
      expect: 'change',
      diff: '- an unfinished dpkg',
    },
  ])

  it('is foretold by aptUpgrades, which changes nothing', () => {
    const upgrades = aptUpgrades()
    const told = (code: number, stdout: string) => upgrades.facts?.({ code, stdout })['upgrades']
    assert.deepEqual([told(0, simulated), told(0, ''), told(100, '')], ['2', '0', 'unknown'])
    assert.equal(upgrades.plan({ code: 0, stdout: simulated }), undefined)
  })
})

describe('aptLists', () => {
  table([
    { title: 'are fresh for an hour', make: () => aptLists(), seen: '3600\n', expect: 'ok' },
    {
      title: 'are fetched when they are older',
      make: () => aptLists(),
      seen: '7260\n',
      expect: 'change',
      diff: '- fetched 121 minutes ago',
      apply: /Error-Mode=any update && touch \/var\/lib\/apt\/lists && return[^]*update \|\| exit$/,
    },
    {
      title: 'are fetched where there are none, or none of the sources as they are now',
      make: () => aptLists(),
      seen: '\n',
      expect: 'change',
      diff: '- none of the current sources\n+ fetched now',
    },
  ])
})

const ready = (timeout: number) => () => balancerReady({ stack: 'ha-stack', healthPort: 8405, timeout })

describe('balancerReady', () => {
  const wrong: Record<string, [string, string]> = {
    'HAProxy does not answer': ['000\n', ''],
    'HAProxy sees no web server': ['503\n', 'Entering BACKUP STATE\n'],
    'Keepalived does not run': ['200\n', ''],
    'Keepalived: Entering FAULT STATE': ['200\n', 'Entering FAULT STATE\n'],
  }
  table([
    ...['BACKUP', 'MASTER'].map((state) => ({
      title: `takes one in state ${state} for ready`,
      make: ready(60),
      seen: `200\nEntering ${state} STATE\n`,
      expect: 'ok' as const,
    })),
    ...Object.entries(wrong).map(([problem, parts]) => ({
      title: `waits while ${problem}`,
      make: ready(60),
      seen: parts.join(''),
      expect: 'wait' as const,
      diff: `- ${problem}\n+ ready`,
    })),
  ])

  it('only tells what is wrong when it is given no time', () => {
    for (const [problem, parts] of Object.entries(wrong)) {
      const seen = { code: 0, stdout: parts.join('') }
      assert.equal(ready(0)().plan(seen), undefined)
      assert.equal(ready(0)().facts?.(seen)['balancer'], problem)
    }
  })
})

describe('vipReleased', () => {
  const address = '192.168.188.200'
  const held = `2: eth0    inet ${address}/32 scope global eth0\\       valid_lft forever preferred_lft forever\n`
  const make = (others: Record<string, string>) => () => vipReleased({ address, stack: 'ha-stack', others })
  table([
    { title: 'is content where the address is not', make: make({}), seen: '', expect: 'ok' },
    {
      title: 'asks Keepalived to end, and waits until it has',
      make: make({ rpi2: 'ready' }),
      seen: held,
      expect: 'change',
      apply: /docker kill --signal TERM "\$id"[^]*docker wait "\$id"/,
    },
    {
      title: 'refuses when nobody could take the address, and says what is wrong with whom',
      make: make({ rpi2: 'HAProxy does not answer' }),
      seen: held,
      expect: 'error',
      error: /no other load balancer is ready to take the virtual address/,
    },
  ])
})

const noStack = () => stackRemoved({ name: 'ha-stack' })

describe('stackRemoved', () => {
  table([
    { title: 'is content with nothing left', make: noStack, seen: '[]\n[]\n[]\n', expect: 'ok' },
    {
      title: 'is content on a host that manages no swarm',
      make: noStack,
      seen: '{"message":"This node is not a swarm manager."}\n',
      expect: 'ok',
    },
    {
      title: 'removes a stack',
      make: noStack,
      seen: '[{}]\n[{},{}]\n[{}]\n',
      expect: 'change',
      diff: '- stack ha-stack: 1 services, 1 configs',
      apply: 'docker stack rm ha-stack',
    },
    {
      title: 'waits for tasks that end',
      make: noStack,
      seen: '[]\n[{}]\n[]\n',
      expect: 'wait',
      diff: '- 1 tasks are ending',
    },
  ])
})
