import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { Secret } from '../../../src/secrets/secret.ts'
import { loadInventory, settingsJsonSchema, withConnection } from '../../../src/inventory/index.ts'
import { hosts, inventoryOf } from './fixture.ts'

const names = (members: readonly { name: string }[]): string => members.map(({ name }) => name).join(' ')

describe('The shipped inventory', () => {
  it('is rpi1 to rpi4 with three managers, two load balancers and the share on rpi4', async () => {
    const inventory = await loadInventory('inventory', {})
    assert.deepEqual(
      inventory.hosts.map((host) => `${host.name} ${host.address} ${host.connection.user}`),
      [11, 12, 13, 14].map((last, index) => `rpi${index + 1} 192.168.188.${last} pi`),
    )
    assert.equal(names(inventory.group('managers')), 'rpi1 rpi2 rpi3')
    assert.equal(names(inventory.group('workers')), 'rpi4')
    assert.equal(names(inventory.group('loadbalancers')), 'rpi1 rpi2')
    assert.equal(names(inventory.group('webservers')), 'rpi1 rpi2 rpi3 rpi4')
    assert.equal(names(inventory.group('nfs_server')), 'rpi4')
    assert.equal(inventory.settings.vip.address, '192.168.188.200')
    assert.deepEqual(inventory.warnings, [])
  })

  it('shows in its comments what the defaults are', async () => {
    const text = await readFile('inventory/group_vars/all.yml', 'utf8')
    const uncommented = text.replaceAll(/^( *)# ( *[\w-]+: .*| *[a-z_]+:)$/gm, '$1$2')
    const hostsYml = await readFile('inventory/hosts.yml', 'utf8')
    const shown = await inventoryOf({ 'hosts.yml': hostsYml, 'group_vars/all.yml': uncommented })
    const { settings } = await loadInventory('inventory', {})
    const { archives, ...images } = shown.settings.images
    const { stats_password: password, ...haproxy } = shown.settings.haproxy
    const { interface: card, ...vip } = shown.settings.vip
    assert.deepEqual({ ...shown.settings, images, haproxy, vip }, settings)
    assert.deepEqual([typeof archives, password?.reveal(), card], ['string', 'change-me', 'eth0'])
    assert.deepEqual(shown.hosts[0]?.extra, { site_title: 'Brambleberry' })
  })

  it('has a twin for virtual Pis: same hosts and groups, another way in, images from archives', async () => {
    const real = await loadInventory('inventory', {})
    const lab = await loadInventory('inventory/lab', { BRAMBLE_LAB_DIR: '/lab' })
    const shape = (inventory: typeof real): unknown =>
      inventory.hosts.map(({ address, groups }) => [address, groups])
    assert.deepEqual(shape(lab), shape(real))
    assert.equal(lab.hosts[0]?.connection.knownHosts, '/lab/known_hosts')
    assert.equal(lab.hosts[0]?.connection.keyFile, '/lab/id_ed25519')
    assert.match(lab.hosts[0]?.connection.proxyCommand ?? '', /%h:%p/)
    const { archives, resolve, keepalived_build } = lab.settings.images
    assert.deepEqual([archives, resolve, keepalived_build], ['/lab/images', 'never', false])
    const home = await loadInventory('inventory/lab', { HOME: '/home/me' })
    assert.equal(home.settings.images.archives, '/home/me/.cache/bramble/lab/images')
  })
})

describe('An inventory', () => {
  it('may be named by its file, and keeps the order of writing', async () => {
    const inventory = await loadInventory('inventory/hosts.yml', {})
    assert.equal(inventory.path, 'inventory/hosts.yml')
    assert.equal(inventory.directory, 'inventory')
    const shuffled = await inventoryOf(
      `all:\n  children:\n    b: { hosts: { z: , a: } }\n  hosts:\n${hosts('m', 'a', 'z')}`,
    )
    assert.equal(names(shuffled.hosts), 'z a m')
  })

  it('takes the address from `address`, else from ansible_host, else from the name', async () => {
    const { hosts } = await inventoryOf(`all: { hosts: {
      a: { address: 10.0.0.1, ansible_host: pi.example.org }, b: { ansible_host: 10.0.0.2 }, 10.0.0.3: , d: { address: 10.0.0.4 } } }`)
    assert.deepEqual(
      hosts.map((host) => [host.address, host.connection.host]),
      [
        ['10.0.0.1', 'pi.example.org'],
        ['10.0.0.2', '10.0.0.2'],
        ['10.0.0.3', undefined],
        ['10.0.0.4', undefined],
      ],
    )
  })

  it('understands anchors and merge keys', async () => {
    const { hosts } = await inventoryOf(`all: { hosts: {
      a: &pi { ansible_host: 10.0.0.1, ansible_user: pi }, b: { <<: *pi, ansible_host: 10.0.0.2 } } }`)
    assert.deepEqual([hosts[1]?.address, hosts[1]?.connection.user], ['10.0.0.2', 'pi'])
  })

  it('uses sudo unless the user is root or it is told otherwise', async () => {
    const { hosts } = await inventoryOf(`all: { hosts: {
      a: { ansible_host: 10.0.0.1, ansible_user: pi }, b: { ansible_host: 10.0.0.2, ansible_user: root },
      c: { ansible_host: 10.0.0.3, ansible_user: pi, ansible_become: false, ansible_python_interpreter: /usr/bin/python3 } } }`)
    assert.deepEqual(
      hosts.map((host) => host.connection.become),
      [true, false, false],
    )
  })

  it('never shows its secrets', async () => {
    const inventory = await inventoryOf({
      'hosts.yml':
        'all: { hosts: { a: { ansible_host: 10.0.0.1, ansible_password: hidden1, ansible_become_pass: hidden2 } } }',
      'group_vars/all.yml': 'haproxy: { stats_password: hidden3 }',
    })
    assert.doesNotMatch(inspect(inventory, { depth: 9 }) + JSON.stringify(inventory), /hidden/)
    assert.equal(inventory.hosts[0]?.connection.becomePassword?.reveal(), 'hidden2')
  })

  it('can have its connections overridden, in its groups too', async () => {
    const before = await loadInventory('inventory', {})
    const after = withConnection(before, { becomePassword: new Secret('typed') })
    assert.equal(after.group('workers')[0]?.connection.becomePassword?.reveal(), 'typed')
    assert.equal(after.group('workers')[0], after.match('rpi4')[0])
    assert.equal(before.group('workers')[0]?.connection.becomePassword, undefined)
  })

  const warned: [string, string][] = [
    [
      'managers: { hosts: { a: , b: } }',
      '2 managers survive the loss of none, as 1 would: take an odd number',
    ],
    [
      'managers: { hosts: { a: , b: , c: , d: } }',
      '4 managers survive the loss of 1, as 3 would: take an odd number',
    ],
    ['workers: { hosts: { a: } }', 'there are workers but no managers: no swarm can form'],
    ['webservers: { hosts: { a: } }', 'a: neither manager nor worker, so no container will run there'],
    [
      'managers: { hosts: { a: } }\nnfs_server: { hosts: { b: } }\nloadbalancers: { hosts: { b: } }',
      'b is NFS server and load balancer: one failure takes both',
    ],
    ['a: { hosts: { a: } }', 'a is both a host and a group: patterns mean the group'],
  ]
  for (const [text, warning] of warned) {
    it(`warns: ${warning}`, async () => {
      const { warnings } = await inventoryOf(`all:\n  hosts:\n${hosts('a', 'b', 'c', 'd')}\n${text}\n`)
      assert.ok(warnings.includes(warning), warnings.join('\n'))
    })
  }
})

describe('The JSON Schema of the settings', () => {
  it('describes every setting and every group of settings', () => {
    const undescribed: string[] = []
    const walk = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return
      if (path !== '' && !('description' in schema)) undescribed.push(path)
      const properties = 'properties' in schema ? schema.properties : undefined
      for (const [name, inner] of Object.entries(properties ?? {})) walk(inner, `${path}.${name}`)
    }
    const schema = settingsJsonSchema()
    walk(schema, '')
    assert.deepEqual(undescribed, [])
    assert.match(JSON.stringify(schema), /"router_id":\{"default":51,/)
  })
})
