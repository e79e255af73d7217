import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { makeChange, planAddition, planRemoval } from '../../../src/inventory/change.ts'
import type { Change } from '../../../src/inventory/change.ts'
import { loadInventory } from '../../../src/inventory/index.ts'

const shipped = readFileSync(new URL('../../../inventory/hosts.yml', import.meta.url), 'utf8')
const rpi5 = { name: 'rpi5', address: '192.168.188.15', groups: ['workers', 'webservers'] }

describe('a change of an inventory', () => {
  let folder = ''
  const path = (name: string) => join(folder, name)
  const put = (name: string, text: string) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text)
  }
  const load: Parameters<typeof planAddition>[2] = (edited) => loadInventory(folder, {}, undefined, edited)
  const add = (host: Partial<typeof rpi5> = {}) => planAddition(folder, { ...rpi5, ...host }, load)
  const remove = (name: string) => planRemoval(folder, name, load)
  const complaint = async (change: Promise<unknown>): Promise<string> => {
    const error: unknown = await change.then(
      () => 'no error',
      (error: unknown) => error,
    )
    return error instanceof InputError ? error.describe().replaceAll(`${folder}/`, '') : String(error)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bramble-change-'))
    put('hosts.yml', shipped)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('that adds a host means all that was meant before, and the host', async () => {
    const change = await add()
    assert.deepEqual(
      change.inventory.hosts.map(({ name }) => name),
      ['rpi1', 'rpi2', 'rpi3', 'rpi4', 'rpi5'],
    )
    assert.equal(readFileSync(path('hosts.yml'), 'utf8'), shipped, 'nothing is written before')
    await makeChange(change)
    const { groups, address } = (await loadInventory(folder, {})).match('rpi5')[0] ?? {}
    assert.deepEqual([address, groups], [rpi5.address, ['all', 'webservers', 'workers']])
  })

  it('is none where the host is there as asked for', async () => {
    await makeChange(await add())
    const again = await add({ groups: ['webservers', 'workers', 'webservers'] })
    assert.equal(again.after, again.before)
    await makeChange(again)
  })

  it('warns of an even number of managers as any inventory does', async () => {
    const { inventory } = await add({ groups: ['managers'] })
    assert.deepEqual(inventory.warnings, ['4 managers survive the loss of 1, as 3 would: take an odd number'])
  })

  it('takes host_vars that are there before their host', async () => {
    put('host_vars/rpi5.yml', 'ansible_user: root\n')
    const { inventory } = await add()
    assert.equal(inventory.match('rpi5')[0]?.connection.user, 'root')
  })

  it('that removes a host takes its host_vars with it', async () => {
    put('host_vars/rpi4.yml', 'ansible_user: root\n')
    put('host_vars/rpi3/main.yml', 'ansible_user: root\n')
    put('group_vars/workers.yml', 'interface: eth0\n')
    for (const [name, gone] of [
      ['rpi4', 'host_vars/rpi4.yml'],
      ['rpi3', 'host_vars/rpi3'],
    ] as const) {
      const change = await remove(name)
      assert.deepEqual(change.gone, [path(gone)])
      await makeChange(change)
      assert.ok(!existsSync(path(gone)))
    }
    assert.deepEqual(
      (await loadInventory(folder, {})).hosts.map(({ name }) => name),
      ['rpi1', 'rpi2'],
    )
  })

  it('is finished by the same command where an interruption left host_vars behind', async () => {
    await makeChange(await remove('rpi4'))
    put('host_vars/rpi4.yml', 'ansible_user: root\n')
    await makeChange(await remove('rpi4'))
    await loadInventory(folder, {})
  })

  it('of a file that was changed meanwhile is not made', async () => {
    const change = await add()
    put('hosts.yml', `${shipped}# mine\n`)
    const says = 'hosts.yml has been changed meanwhile\n  at hosts.yml\n  next:     run the command again'
    assert.equal(await complaint(makeChange(change)), says)
    assert.equal(readFileSync(path('hosts.yml'), 'utf8'), `${shipped}# mine\n`)
  })

  const workers = 'exactly one of managers and workers among its groups'
  const refused: Record<string, { plan: () => Promise<Change>; says: string }> = {
    'a name that is none': {
      plan: () => add({ name: 'rpi[5:6]' }),
      says: '`rpi[5:6]` is no name for a host\n  expected: a host name such as rpi5: letters, digits, - and .',
    },
    'an address for a name': {
      plan: () => add({ name: '10.0.0.5' }),
      says: '`10.0.0.5` is no name for a host\n  expected: a host name such as rpi5: letters, digits, - and .',
    },
    'an address that is none': {
      plan: () => add({ address: '192.168.188.256' }),
      says: '`192.168.188.256` is no address for a host\n  expected: a static IPv4 address such as 192.168.188.15',
    },
    'the address of another host': {
      plan: () => add({ address: '192.168.188.12' }),
      says: 'rpi2 and rpi5 have the same address\n  at hosts.yml\n  found:    192.168.188.12',
    },
    'the virtual address': {
      plan: () => add({ address: '192.168.188.200' }),
      says: 'the virtual address is the address of rpi5\n  at hosts.yml\n  expected: an address that no host has\n  found:    192.168.188.200\n  next:     set vip.address in group_vars/all.yml to a free address',
    },
    'a group that is not there': {
      plan: () => add({ groups: ['workers', 'webserver'] }),
      says: 'no group is called `webserver`\n  next:     did you mean webservers?',
    },
    'neither a manager nor a worker': {
      plan: () => add({ groups: ['webservers'] }),
      says: `rpi5 is neither manager nor worker\n  expected: ${workers}\n  found:    webservers`,
    },
    'no group': {
      plan: () => add({ groups: [] }),
      says: `rpi5 is neither manager nor worker\n  expected: ${workers}\n  found:    none`,
    },
    'both a manager and a worker': {
      plan: () => add({ groups: ['managers', 'workers'] }),
      says: `rpi5 cannot be both manager and worker\n  expected: ${workers}\n  found:    managers, workers`,
    },
    'a second NFS server': {
      plan: () => add({ groups: ['workers', 'nfs_server'] }),
      says: 'nfs_server has more than one host\n  at hosts.yml\n  expected: one host, which keeps the content\n  found:    rpi4, rpi5',
    },
    'a host that is there with other groups': {
      plan: () => add({ name: 'rpi4', address: '192.168.188.14', groups: ['workers'] }),
      says: 'rpi4 is in the inventory already\n  at hosts.yml:23:5\n  expected: 192.168.188.14 in workers, as asked for\n  found:    192.168.188.14 in nfs_server, webservers, workers\n  next:     give the new one another name, or change this one by hand and then: bramble apply',
    },
    'a host that is there with another address': {
      plan: () => add({ name: 'rpi4', address: '10.0.0.4', groups: ['nfs_server', 'webservers', 'workers'] }),
      says: 'rpi4 is in the inventory already\n  at hosts.yml:23:5\n  expected: 10.0.0.4 in nfs_server, webservers, workers, as asked for\n  found:    192.168.188.14 in nfs_server, webservers, workers\n  next:     give the new one another name, or change this one by hand and then: bramble apply',
    },
    'the removal of a host that is not there': {
      plan: () => remove('rpi9'),
      says: 'no host is called `rpi9`\n  at hosts.yml\n  next:     did you mean rpi1?',
    },
  }
  for (const [what, { plan, says }] of Object.entries(refused)) {
    it(`is refused: ${what}`, async () => {
      assert.equal(await complaint(plan()), says)
      assert.equal(readFileSync(path('hosts.yml'), 'utf8'), shipped)
    })
  }

  const byHand = 'make the change by hand, and then: bramble apply'
  const unsafe: Record<string, { hosts: string; vars?: string; plan: () => Promise<Change>; says: string }> =
    {
      'its variables say another address': {
        hosts: shipped,
        vars: 'address: 10.0.0.5\n',
        plan: () => add(),
        says: `found:    rpi5 would be 10.0.0.5 in webservers, workers\n  next:     ${byHand}`,
      },
      'it would not be the last load balancer': {
        hosts: `all:
  hosts: { rpi1: { ansible_host: 10.0.0.1 }, rpi2: { ansible_host: 10.0.0.2 } }
  children:
    managers: { hosts: { rpi1: } }
    loadbalancers: { hosts: { rpi1: }, children: { old: { hosts: { rpi2: } } } }
`,
        plan: () => add({ groups: ['managers', 'loadbalancers'] }),
        says: `found:    rpi5 would not be the last of the load balancers, whose order counts\n  next:     ${byHand}`,
      },
      'a merge brings its group to others': {
        hosts: `all:
  hosts: { rpi1: { ansible_host: 10.0.0.1 } }
  children:
    managers: { hosts: { rpi1: } }
    workers:
      hosts: &none
    webservers:
      hosts: *none
`,
        plan: () => add({ groups: ['workers'] }),
        says: `found:    rpi5 would be 192.168.188.15 in webservers, workers\n  next:     ${byHand}`,
      },
      'it is named where no group is, too': {
        hosts: `all:
  vars: { extra: { some: &some { rpi1: } } }
  hosts: { rpi1: { ansible_host: 10.0.0.1 }, rpi2: { ansible_host: 10.0.0.2 } }
  children: { managers: { hosts: { rpi2: } }, webservers: { hosts: *some } }
`,
        plan: () => remove('rpi1'),
        says: 'at hosts.yml:4:61\n  found:    rpi1 behind an alias\n',
      },
      'the removal of the only host': {
        hosts: 'managers: { hosts: { rpi1: { ansible_host: 10.0.0.1 } } }\n',
        plan: () => remove('rpi1'),
        says: 'rpi1 cannot be removed: it is the last host\n  at hosts.yml',
      },
    }
  for (const [what, { hosts, vars, plan, says }] of Object.entries(unsafe)) {
    it(`is refused where ${what}`, async () => {
      put('hosts.yml', hosts)
      if (vars !== undefined) put('host_vars/rpi5.yml', vars)
      assert.ok((await complaint(plan())).includes(says), await complaint(plan()))
    })
  }
})
