import assert from 'node:assert/strict'
import { catalogue } from '../../../src/drill/catalogue.ts'
import { runDrill } from '../../../src/drill/run.ts'
import type { Inventory } from '../../../src/inventory/index.ts'
import { inventoryOf } from '../inventory/fixture.ts'
import { laboratory } from '../status/cluster.ts'
import { loadOf, Understudy } from './understudy.ts'

/** What each drill does, in its order. In this cluster rpi1 holds the virtual IP, rpi3 the share. */
const expected: Record<string, (string | RegExp)[]> = {
  calm: [],
  'haproxy-kill': ['rpi1: kill -9 100'],
  'keepalived-kill': ['rpi1: kill -9 100'],
  'nginx-kill': ['rpi1: kill -9 100', 'rpi2: kill -9 101', 'rpi3: kill -9 102'],
  'vip-power': ['off rpi1', 'on rpi1'],
  'vip-cable': ['unplug rpi1', 'plug rpi1'],
  'leader-power': ['play: virtual IP away', 'off rpi1', 'on rpi1', 'play: rpi1 in service'],
  redeploy: [],
  'reboot-all': ['rpi3', 'rpi2', 'rpi1'].flatMap((name) => [
    `play: ${name} out of service`,
    `${name}: touch /run/bramble-drill`,
    `play: reboot of ${name}`,
    `play: ${name} in service`,
  ]),
  'nfs-power': [
    'off rpi3',
    'on rpi3',
    /^rpi3: echo \w+ >\/srv\/nfs\/share\/bramble-drill\.txt$/,
    'rpi3: rm -f /srv/nfs/share/bramble-drill.txt',
  ],
  'nfs-hang': [
    /^rpi3: : >(\/run\/bramble-hang-[0-9a-f]{8})\niptables -w -I INPUT -p tcp --dport 2049 -j DROP\n\(sleep 180; rm \1 && iptables -w -D INPUT -p tcp --dport 2049 -j DROP\) .*&$/,
    /^rpi3: rm -f \/run\/bramble-hang-[0-9a-f]{8}; iptables -w -D INPUT -p tcp --dport 2049 -j DROP/,
    /^rpi3: echo /,
    /^rpi3: rm /,
  ],
  'all-off': ['off rpi1 rpi2 rpi3', 'on rpi1 rpi2 rpi3'],
}
expected['redeploy'] = ['haproxy', 'nginx', 'keepalived'].flatMap((service) =>
  Array<string>(3).fill(
    `rpi1: docker service update --force --detach=false --quiet ha-stack_${service} >/dev/null`,
  ),
)

const outage = [
  'longest gap: 5000 ms',
  'longest wait: 5000 ms',
  'failed from 5 s on: 0',
  'answers not from a mirror from 5 s on while it is away: 0',
  'share served again: 10 s',
  'new content seen: 10 s',
]
/** What clients may notice of each at most. */
const bounds: Record<string, string[]> = {
  calm: ['failed: 0'],
  'haproxy-kill': ['longest gap: 2000 ms'],
  'keepalived-kill': ['longest gap: 1500 ms'],
  'nginx-kill': ['failed: 0'],
  'vip-power': ['longest gap: 1500 ms'],
  'vip-cable': ['longest gap: 1500 ms', 'longest gap as the virtual IP returns: 500 ms'],
  'web-power': ['failed from 2 s on: 0', 'longest wait: 2500 ms'],
  'leader-power': ['failed: 0'],
  redeploy: ['failed: 0'],
  'reboot-all': ['longest gap: 1500 ms', 'failed: 0'],
  'nfs-power': outage,
  'nfs-hang': outage,
  'all-off': ['serves again: 600 s'],
}

describe('the drills', () => {
  let inventory: Inventory
  before(async () => {
    inventory = await laboratory()
  })

  it('are the twelve and one to compare them with, each with its bounds', () => {
    const told = catalogue.map((drill) => {
      return [drill.name, drill.bounds.map(({ what, limit, unit }) => `${what}: ${limit} ${unit}`.trimEnd())]
    })
    assert.deepEqual(Object.fromEntries(told), bounds)
  })

  it('say what has to be pulled for them', () => {
    const needing = catalogue.flatMap(({ name, needs }) => (needs ? [`${name}: ${needs}`] : []))
    assert.deepEqual(needing, [
      'vip-power: power',
      'vip-cable: cable',
      'web-power: power',
      'leader-power: power',
      'nfs-power: power',
      'all-off: power',
    ])
  })

  for (const drill of catalogue.filter(({ name }) => name in expected)) {
    it(`${drill.name}: does what its title says, leaves the cluster as it was, and keeps its bounds`, async () => {
      const access = new Understudy(inventory)
      const result = await runDrill(
        drill,
        access,
        () => loadOf(undefined, ['rpi1', 'rpi2']),
        () => undefined,
      )
      assert.equal(result?.error, null)
      const steps = expected[drill.name] ?? []
      assert.equal(access.done.length, steps.length, access.done.join('\n'))
      for (const [index, step] of steps.entries()) {
        const done = access.done[index] ?? ''
        if (typeof step === 'string') assert.equal(done, step)
        else assert.match(done, step)
      }
      assert.deepEqual([result?.ok, result?.as_before], [true, true], JSON.stringify(result?.bounds))
      assert.notEqual(result?.redundant_s, null)
    })
  }

  it('web-power: takes a web server that is nothing else', async () => {
    const drill = catalogue.find(({ name }) => name === 'web-power')
    assert.ok(drill)
    assert.equal(drill.unfit?.(inventory), 'every web server is a load balancer or the NFS server, too')
    const more = await inventoryOf(`all:
  vars: { vip: { address: 10.77.0.200 } }
  hosts: { rpi1: { ansible_host: 10.77.0.11 }, rpi2: { ansible_host: 10.77.0.12 }, rpi3: { ansible_host: 10.77.0.13 } }
  children:
    managers: { hosts: { rpi1: , rpi2: , rpi3: } }
    loadbalancers: { hosts: { rpi1: , rpi2: } }
    webservers: { hosts: { rpi1: , rpi2: , rpi3: } }
`)
    assert.equal(drill.unfit?.(more), undefined)
    const access = new Understudy(more)
    await runDrill(
      drill,
      access,
      () => loadOf(),
      () => undefined,
    )
    assert.deepEqual(access.done, ['off rpi3', 'on rpi3'])
  })
  it('say what a cluster lacks for them', async () => {
    const small = await inventoryOf(`all:
  vars: { vip: { address: 10.77.0.200 } }
  hosts: { rpi1: { ansible_host: 10.77.0.11 } }
  children: { managers: { hosts: { rpi1: } }, loadbalancers: { hosts: { rpi1: } }, webservers: { hosts: { rpi1: } } }
`)
    const lacking = catalogue.map(({ name, unfit }) => [name, unfit?.(small)] as const)
    assert.deepEqual(
      lacking.filter(([, words]) => words !== undefined),
      [
        ['vip-power', 'there is no other load balancer'],
        ['vip-cable', 'there is no other load balancer'],
        ['web-power', 'every web server is a load balancer or the NFS server, too'],
        ['leader-power', 'without one of them, two managers or fewer are no majority'],
        ['nfs-power', 'there is no NFS server'],
        ['nfs-hang', 'there is no NFS server'],
      ],
    )
  })
})
