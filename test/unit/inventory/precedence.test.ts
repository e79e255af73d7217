import assert from 'node:assert/strict'
import { inventoryOf } from './fixture.ts'

const hostsYml = (host = '', child = '', parent = '', all = ''): string => `
all:
  vars: { ${all} }
  children:
    parent:
      vars: { ${parent} }
      children:
        child:
          vars: { ${child} }
          hosts:
            rpi1: { ansible_host: 10.0.0.1, ${host} }
`
const port = (number: number): string => `ansible_port: ${number}`

describe('Of two places that set a variable', () => {
  const cases: [string, number, Record<string, string>][] = [
    ['all beats the default', 1001, { 'hosts.yml': hostsYml('', '', '', port(1001)) }],
    ['a parent group beats all', 1002, { 'hosts.yml': hostsYml('', '', port(1002), port(1001)) }],
    [
      'a child group beats its parent',
      1003,
      { 'hosts.yml': hostsYml('', port(1003), port(1002), port(1001)) },
    ],
    ['a host beats its groups', 1004, { 'hosts.yml': hostsYml(port(1004), port(1003)) }],
    [
      'group_vars/all beats what hosts.yml says of any group',
      1005,
      { 'hosts.yml': hostsYml('', port(1003)), 'group_vars/all.yml': port(1005) },
    ],
    [
      'group_vars of a parent beats those of all',
      1006,
      { 'hosts.yml': hostsYml(), 'group_vars/all.yml': port(1005), 'group_vars/parent.yaml': port(1006) },
    ],
    [
      'group_vars of a child beats those of its parent',
      1007,
      {
        'hosts.yml': hostsYml(),
        'group_vars/parent': port(1006),
        'group_vars/child.json': '{"ansible_port": 1007}',
      },
    ],
    [
      "the host's own lines beat group_vars",
      1004,
      { 'hosts.yml': hostsYml(port(1004)), 'group_vars/child.yml': port(1007) },
    ],
    [
      "host_vars beat the host's own lines",
      1008,
      { 'hosts.yml': hostsYml(port(1004)), 'host_vars/rpi1.yml': port(1008) },
    ],
    [
      'of the files in a directory the last by name wins',
      1010,
      {
        'hosts.yml': hostsYml(),
        'host_vars/rpi1/10-a.yml': port(1009),
        'host_vars/rpi1/20-b.yml': port(1010),
      },
    ],
  ]
  for (const [title, expected, files] of cases) {
    it(title, async () => {
      const { hosts } = await inventoryOf(files)
      assert.equal(hosts[0]?.connection.port, expected)
    })
  }

  it('the environment beats the inventory', async () => {
    const files = {
      'hosts.yml': hostsYml('ansible_user: pi'),
      'host_vars/rpi1.yml': 'ansible_become_password: old',
    }
    const env = {
      BRAMBLE_USER: 'root',
      BRAMBLE_PRIVATE_KEY_FILE: '~/k',
      BRAMBLE_BECOME_PASSWORD: 'new',
      HOME: '/home/me',
    }
    const { connection } = (await inventoryOf(files, env)).hosts[0] ?? assert.fail()
    assert.deepEqual([connection.user, connection.become, connection.keyFile], ['root', false, '/home/me/k'])
    assert.equal(connection.becomePassword?.reveal(), 'new')
  })

  it('mappings are merged name by name, lists are replaced', async () => {
    const { hosts, settings } = await inventoryOf({
      'hosts.yml': hostsYml('labels: { disk: ssd }', 'labels: { disk: sd, rack: a }'),
      'group_vars/all/ports.yml': 'haproxy: { port: 8081 }\nnfs: { options: [ro] }',
      'group_vars/all/secrets.yml': 'haproxy: { stats_password: "s3cret" }',
    })
    assert.deepEqual(hosts[0]?.settings.labels, { disk: 'ssd', rack: 'a' })
    assert.equal(settings.haproxy.port, 8081)
    assert.equal(settings.haproxy.stats_password?.reveal(), 's3cret')
    assert.deepEqual(settings.nfs.options, ['ro'])
  })

  it('a host that is written in several groups has all of their variables, and all of its lines', async () => {
    const { hosts } = await inventoryOf(`
one: { hosts: { rpi1: { ansible_host: 10.0.0.1 } }, vars: { ansible_user: first } }
two: { hosts: { rpi1: { ansible_port: 23 } }, vars: { ansible_user: second } }
`)
    const [host] = hosts
    assert.deepEqual(host?.groups, ['all', 'one', 'two'])
    assert.deepEqual([host?.connection.user, host?.connection.port], ['second', 23])
    assert.deepEqual([host?.in('one'), host?.in('three')], [true, false])
  })
})
