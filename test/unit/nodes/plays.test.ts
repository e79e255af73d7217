import assert from 'node:assert/strict'
import { join } from 'node:path'
import { loadInventory, type Host, type Inventory } from '../../../src/inventory/index.ts'
import { endOfSwarm } from '../../../src/nodes/end.ts'
import { leave, mayGo } from '../../../src/nodes/leave.ts'
import { ghostRemoved } from '../../../src/nodes/replace.ts'
import { backInService, outOfService } from '../../../src/nodes/service.ts'
import { vipBack } from '../../../src/nodes/vip.ts'
import { within, without } from '../../../src/nodes/within.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import { play, playbook, type Context, type Play } from '../../../src/playbook/play.ts'

const here = '2: eth0    inet 192.168.188.200/32 scope global eth0'

describe('plays of a node’s life', () => {
  let inventory: Inventory
  let hosts: Host[]
  const facts = new FactStore()

  before(async () => {
    inventory = await loadInventory(join(import.meta.dirname, '../../../inventory'))
    hosts = [...inventory.hosts]
    for (const name of ['rpi1', 'rpi2']) facts.add(name, { balancer: 'ready' })
  })

  function contextOf(parts: Partial<Context>): Context {
    return {
      cluster: inventory,
      facts,
      alive: hosts,
      wrote: true,
      template: (name) => ({ name, text: '' }),
      archives: [],
      ...parts,
    }
  }

  /** `NAME @ HOST: TITLE, TITLE`, a line for each play. */
  function told(plays: readonly Play[]): string[] {
    const context = contextOf({})
    return plays.map((one) => {
      const on = inventory.match(one.hosts).slice(0, one.runOnce ? 1 : undefined)
      const titles = on.length > 0 ? [...one.tasks(on[0] as Host, context)].map(({ title }) => title) : []
      return `${one.name} @ ${on.map(({ name }) => name).join(',')}: ${titles.join(', ')}`
    })
  }

  it('take a web server out by draining it, from a manager that is another', () => {
    assert.deepEqual(told(outOfService(hosts[3] as Host, inventory)), [
      'drain rpi4 @ rpi1: node rpi4 drained',
    ])
    assert.match(told(outOfService(hosts[0] as Host, inventory)).at(-1) ?? '', /^drain rpi1 @ rpi2: /)
  })

  it('take a load balancer out after the virtual address has gone to another', () => {
    assert.deepEqual(told(outOfService(hosts[0] as Host, inventory)), [
      'who can take the virtual IP from rpi1 @ rpi2: load balancer ready',
      'virtual IP away from rpi1 @ rpi1: virtual IP 192.168.188.200 held elsewhere',
      'drain rpi1 @ rpi2: node rpi1 drained',
    ])
  })

  it('take nothing out for which there is nothing to do', () => {
    for (const line of told(outOfService(hosts[0] as Host, inventory, () => false))) assert.match(line, /: $/)
  })

  it('take the preferred load balancer back with the address, which the others give up', () => {
    const lines = told(backInService(hosts[0] as Host, inventory))
    assert.deepEqual(
      lines.map((line) => line.replace(/: .*/, '')),
      [
        'rpi1 is well @ rpi1',
        'rpi1 in service @ rpi2',
        'requests for rpi1 @ rpi1,rpi2',
        'HAProxy of rpi1 @ rpi1',
        'Keepalived of rpi1 @ rpi2',
        'rpi1 can hold the virtual IP @ rpi1',
        'virtual IP back to rpi1 @ rpi2',
      ],
    )
  })

  it('take a web server back once every load balancer sends it requests, before another may go', () => {
    assert.deepEqual(told(backInService(hosts[2] as Host, inventory)).slice(-2), [
      'rpi3 in service @ rpi1: nodes ready, nodes active, stack ha-stack runs',
      'requests for rpi3 @ rpi1,rpi2: HAProxy sends requests to rpi3',
    ])
  })

  it('wait for no place in the swarm of a host that only keeps the share', () => {
    const keeper = { ...(hosts[3] as Host), in: (group: string) => group === 'nfs_server' }
    assert.deepEqual(told(backInService(keeper, inventory)), ['rpi4 is well @ rpi4: docker answers'])
  })

  it('take another one back without', () => {
    const names = told(backInService(hosts[1] as Host, inventory))
    assert.ok(!names.some((line) => line.startsWith('virtual IP back')))
  })

  const handsBack = {
    rpi1: ['load balancer ready'],
    rpi2: ['virtual IP 192.168.188.200 held elsewhere', 'load balancer ready'],
  }
  const after: {
    title: string
    wrote?: boolean
    holder?: string
    active?: string
    rpi1?: string
    does: Record<string, string[]>
  }[] = [
    { title: 'give it back from a less preferred one', holder: 'rpi2', does: handsBack },
    { title: 'leave it alone after a run that changed nothing', wrote: false, holder: 'rpi2', does: {} },
    { title: 'leave it where it is preferred', holder: 'rpi1', does: {} },
    { title: 'leave it if nobody has it', does: {} },
    {
      title: 'leave it if the preferred one is not ready',
      holder: 'rpi2',
      rpi1: 'Keepalived does not run',
      does: { rpi1: ['load balancer ready'] },
    },
    {
      title: 'leave it on a node whose Keepalived would not start again',
      holder: 'rpi2',
      active: 'rpi1',
      does: {},
    },
    { title: 'leave it if no deploy has come to its end', holder: 'rpi2', active: '', does: {} },
  ]
  for (const { title, wrote = true, holder, active = 'rpi1 rpi2', rpi1 = 'ready', does } of after) {
    it(`after a deploy, with the virtual address: ${title}`, () => {
      const seen = new FactStore()
      if (active !== '') seen.add('rpi1', { active_nodes: active })
      const context = contextOf({ facts: seen, wrote })
      const done: Record<string, string[]> = {}
      for (const one of vipBack()) {
        for (const host of inventory.group('loadbalancers')) {
          for (const task of one.tasks(host, context)) {
            if (task.title === 'virtual IP 192.168.188.200') {
              const stdout = host.name === holder ? here : ''
              seen.add(host.name, task.facts?.({ code: 0, stdout }) ?? {})
            } else {
              if (host.name === 'rpi1') seen.add('rpi1', { balancer: rpi1 })
              ;(done[host.name] ??= []).push(task.title)
            }
          }
        }
      }
      assert.deepEqual(done, does)
    })
  }

  it('after a deploy, see it through that the preferred one holds the address, which is no change of its own', () => {
    const seen = new FactStore()
    seen.add('rpi1', { balancer: 'ready' })
    seen.add('rpi2', { holds_vip: 'true' })
    const back = (alive: readonly Host[]) => {
      const [, , last] = vipBack()
      const [task] = last?.tasks(hosts[1] as Host, contextOf({ facts: seen, alive })) ?? []
      return task
    }
    assert.equal(back(hosts)?.plan({ code: 0, stdout: here })?.completes, true)
    assert.equal(back(hosts)?.plan({ code: 0, stdout: '' }), undefined)
    assert.equal(back(hosts.slice(1)), undefined)
  })

  it('end the run when one of them fails, but for the question who could take the address', () => {
    const plays = hosts.flatMap((host) => [
      ...outOfService(host, inventory),
      ...backInService(host, inventory),
      ...mayGo(host, inventory, false),
      ...leave(host, inventory, false),
      ...ghostRemoved(host, inventory),
    ])
    for (const { name, critical } of plays) assert.equal(critical ?? false, !name.startsWith('who can'), name)
  })

  it('let a node leave in order, and take a dead one off the list without its help', () => {
    const manager = hosts[1] as Host
    assert.deepEqual(told([...mayGo(manager, inventory, false), ...leave(manager, inventory, false)]), [
      'rpi2 answers @ rpi2: swarm state',
      'the swarm can do without rpi2 @ rpi1: node rpi2 may go',
      'demote rpi2 @ rpi1: node rpi2 no manager',
      'rpi2 leaves @ rpi2: in no swarm',
      'remove rpi2 @ rpi1: node rpi2 not in the swarm',
    ])
    assert.deepEqual(told([...mayGo(manager, inventory, true), ...leave(manager, inventory, true)]), [
      'the swarm can do without rpi2 @ rpi1: node rpi2 may go',
      'remove rpi2 @ rpi1: node rpi2 not in the swarm',
    ])
  })

  it('end a swarm by its stack first', () => {
    assert.deepEqual(told(endOfSwarm(inventory)), [
      'stack removed @ rpi1: no stack ha-stack',
      'swarm left @ rpi1,rpi2,rpi3,rpi4: in no swarm',
    ])
  })

  it('see a cluster without a host where they are written for that', () => {
    const rest = without(inventory, hosts[3] as Host)
    assert.deepEqual(
      rest.hosts.map(({ name }) => name),
      ['rpi1', 'rpi2', 'rpi3'],
    )
    assert.deepEqual(rest.group('workers'), [])
    const seen: string[][] = []
    const tasks: Play['tasks'] = (_, { cluster, alive }) => {
      seen.push(
        cluster.hosts.map(({ name }) => name),
        alive.map(({ name }) => name),
      )
      return []
    }
    const plays = within(
      rest,
      playbook({
        name: 'both',
        plays: [play({ name: 'all', hosts: 'all', tasks }), play({ name: 'none', hosts: 'workers', tasks })],
      }),
    )
    assert.deepEqual(told(plays), ['all @ rpi1,rpi2,rpi3: '])
    assert.deepEqual(seen, [
      ['rpi1', 'rpi2', 'rpi3'],
      ['rpi1', 'rpi2', 'rpi3'],
    ])
  })
})
