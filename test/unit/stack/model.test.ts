import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { InputError } from '../../../src/errors.ts'
import { loadInventory, type Cluster } from '../../../src/inventory/index.ts'
import { inventoryOf } from '../inventory/fixture.ts'
import { renderTemplate } from '../../../src/modules/template.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { stackChecks } from '../../../src/stack/checks.ts'
import {
  renderStack,
  stackLabels,
  stackModel,
  stackNodeLabels,
  type StackModel,
} from '../../../src/stack/model.ts'

const template = (name: string) => ({ name, text: readFileSync(`templates/${name}`, 'utf8') })
const render = (model: StackModel) => renderStack(model, template, renderTemplate)

/** A part of what YAML text held. */
function at(value: unknown, ...path: string[]): unknown {
  return path.reduce((part, key) => (isRecord(part) ? part[key] : undefined), value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** What the compose file has of configs and of secrets, and what of each HAProxy reads. */
function kindsOf(compose: unknown): unknown[] {
  return ['configs', 'secrets'].map((kind) => [
    Object.keys(Object(at(compose, kind)) as object),
    at(compose, 'services', 'haproxy', kind, '0', 'source'),
  ])
}

function labelsOf(compose: unknown): unknown[] {
  const services = ['haproxy', 'keepalived', 'nginx']
  return services.map((service) => at(compose, 'services', service, 'labels', 'bramble.image'))
}

describe('the shipped stack', () => {
  let cluster: Cluster
  let model: StackModel
  before(async () => {
    cluster = await loadInventory('inventory')
    model = stackModel(cluster, () => 'eth0')
  })

  it('prefers the load balancers in the order of their group', () => {
    assert.deepEqual(
      model.loadbalancers.map(({ name, priority }) => [name, priority]),
      [
        ['rpi1', 150],
        ['rpi2', 100],
      ],
    )
  })

  it('labels every node by its groups', () => {
    assert.deepEqual(stackLabels(cluster), {
      rpi1: { 'bramble.loadbalancer': 'true', 'bramble.vip': 'true', 'bramble.webserver': 'true' },
      rpi2: { 'bramble.loadbalancer': 'true', 'bramble.vip': 'true', 'bramble.webserver': 'true' },
      rpi3: { 'bramble.webserver': 'true' },
      rpi4: { 'bramble.webserver': 'true' },
    })
  })

  it('does not wait for the labels of a node that does not answer, nor label what is in no swarm', async () => {
    const { hosts } = await inventoryOf(`all:
  hosts: { rpi1: { ansible_host: 10.0.0.1 }, rpi2: { ansible_host: 10.0.0.2 }, nas: { ansible_host: 10.0.0.3 } }
  children:
    managers: { hosts: { rpi1: } }
    workers: { hosts: { rpi2: } }
    webservers: { hosts: { rpi2: } }
    nfs_server: { hosts: { nas: } }
`)
    const alive = hosts.filter(({ name }) => name !== 'rpi2')
    assert.deepEqual(stackNodeLabels({ cluster: { hosts }, alive }), {
      labels: { rpi1: {}, rpi2: { 'bramble.webserver': 'true' } },
      optional: ['rpi2'],
      later: ['bramble.vip'],
    })
  })

  it('is one compose file whose services use the host network and stop in peace', () => {
    const compose = load(render(model).files['docker-compose.yml'] ?? '')
    for (const service of ['keepalived', 'haproxy', 'nginx']) {
      assert.deepEqual(at(compose, 'services', service, 'networks'), ['host'])
      assert.equal(at(compose, 'services', service, 'deploy', 'mode'), 'global')
      assert.equal(at(compose, 'services', service, 'deploy', 'update_config', 'failure_action'), 'rollback')
    }
    assert.deepEqual(at(compose, 'networks', 'host'), { external: true, name: 'host' })
    assert.equal(at(compose, 'services', 'haproxy', 'stop_signal'), 'SIGUSR1')
    assert.equal(at(compose, 'services', 'haproxy', 'deploy', 'update_config', 'order'), 'start-first')
    assert.equal(at(compose, 'services', 'nginx', 'stop_signal'), 'SIGQUIT')
    assert.deepEqual(at(compose, 'services', 'haproxy', 'cap_drop'), ['ALL'])
    assert.deepEqual(at(compose, 'services', 'keepalived', 'cap_add'), [
      'NET_ADMIN',
      'NET_RAW',
      'NET_BROADCAST',
    ])
    assert.deepEqual(at(compose, 'services', 'nginx', 'volumes', '0'), {
      type: 'bind',
      source: '/srv/bramble',
      target: '/srv/bramble',
      read_only: true,
      bind: { propagation: 'rslave' },
    })
  })

  it('names nothing that docker stack deploy ignores', () => {
    const compose = render(model).files['docker-compose.yml'] ?? ''
    assert.doesNotMatch(compose, /^\s*(network_mode|privileged|devices|pid|security_opt|restart):/m)
  })

  const contents: [file: string, part: string][] = [
    ['keepalived.conf', '    @rpi1 priority 150\n'],
    ['keepalived.conf', '    @rpi2 interface eth0\n'],
    ['keepalived.conf', '        @^rpi1 192.168.188.11\n        @^rpi2 192.168.188.12\n'],
    ['keepalived.conf', '        192.168.188.200/32\n'],
    ['keepalived.conf', '    advert_int 0.25\n'],
    ['keepalived.conf', '    check_unicast_src\n'],
    ['keepalived.conf', 'check-haproxy 8405"'],
    ['haproxy.cfg', '    server rpi4 192.168.188.14:8080\n'],
    ['haproxy.cfg', '    option idle-close-on-response\n'],
    ['haproxy.cfg', '    bind 127.0.0.1:8405\n'],
    ['nginx.conf', '        root /srv/bramble/share;\n'],
    ['nginx.conf', '        add_header X-Bramble-Node $hostname always;\n'],
    ['nginx.conf', '    set_real_ip_from 192.168.188.12;\n'],
    ['nginx.conf', '            if (!-f /srv/bramble/share.mirror/nfs) {\n'],
    ['nginx.conf', '            root /srv/bramble/share.mirror/current;\n'],
  ]
  for (const [file, part] of contents)
    it(`has ${JSON.stringify(part.trim())} in ${file}`, () =>
      assert.ok(render(model).files[file]?.includes(part)))

  it('serves no mirror where no host has a share', () => {
    const groups = { group: (name: string) => (name === 'nfs_server' ? [] : cluster.group(name)) }
    const lonely = stackModel({ settings: cluster.settings, hosts: cluster.hosts, ...groups }, () => 'eth0')
    const conf = render(lonely).files['nginx.conf'] ?? ''
    assert.ok(conf.includes('            root /srv/bramble/share;\n'))
    assert.ok(!conf.includes('mirror;'))
  })

  it('has HAProxy wait for a web server as long as the share may take to answer, and two seconds at least', () => {
    assert.match(render(model).files['haproxy.cfg'] ?? '', /^ {4}timeout server 2s$/m)
    const mirror = { ...cluster.settings.mirror, answer_timeout: 20 }
    const patient = { settings: { ...cluster.settings, mirror }, hosts: cluster.hosts }
    const other = stackModel({ ...patient, group: (name) => cluster.group(name) }, () => 'eth0')
    assert.match(render(other).files['haproxy.cfg'] ?? '', /^ {4}timeout server 20s$/m)
  })

  it('gives a config a new name when its content changes, and the others their old one', () => {
    const before = render(model).configs
    const after = render({
      ...model,
      nginx: { port: 8081 },
      stack: { ...model.stack, deploy_timeout: 9 },
    }).configs
    assert.deepEqual(
      before.map((name, index) => name === after[index]),
      // HAProxy and nginx name the port.
      [false, true, false],
    )
    assert.match(before[0] ?? '', /^ha-stack-haproxy-[0-9a-f]{12}$/)
  })

  it('has a statistics page only with a password, whatever stands in it', () => {
    assert.doesNotMatch(render(model).files['haproxy.cfg'] ?? '', /^frontend stats$/m)
    const haproxy = { ...cluster.settings.haproxy, stats_password: new Secret(`it's "x" #`) }
    const changed = { hosts: cluster.hosts, group: (name: string) => cluster.group(name) }
    const open = render(stackModel({ ...changed, settings: { ...cluster.settings, haproxy } }, () => 'eth0'))
    assert.ok(open.files['haproxy.cfg']?.includes(`insecure-password 'it'\\''s "x" #'\n`))
    assert.equal(open.secret, true)
  })

  const composed = (more: Partial<StackModel> = {}): unknown =>
    load(render({ ...model, ...more }).files['docker-compose.yml'] ?? '')

  it('is a secret for HAProxy when the password is in it, and a config otherwise', () => {
    assert.deepEqual(kindsOf(composed({ operator: undefined })), [
      [['keepalived', 'nginx', 'haproxy'], 'haproxy'],
      [[], undefined],
    ])
    assert.deepEqual(kindsOf(composed({ operator: { user: "'admin'", password: "'thorny'" } })), [
      [['keepalived', 'nginx'], undefined],
      [['haproxy'], 'haproxy'],
    ])
  })

  it('lets the swarm ask HAProxy and nginx whether they answer', () => {
    const compose = composed()
    const port = (service: string) => at(compose, 'services', service, 'environment', 'HEALTHZ')
    assert.equal(port('haproxy'), 'http://127.0.0.1:8405/healthz')
    assert.equal(port('nginx'), 'http://127.0.0.1:8080/healthz')
    for (const service of ['haproxy', 'nginx'])
      assert.match(
        String(at(compose, 'services', service, 'healthcheck', 'test', '1')),
        /wget .* "\$\$HEALTHZ"/,
      )
  })

  it('is rolled out anew for another image under its old name, and only that service', () => {
    assert.deepEqual(labelsOf(composed()), ['', '', ''])
    assert.deepEqual(labelsOf(composed(stackModel(cluster, () => 'eth0', { nginx: 'sha256:1' }))), [
      '',
      '',
      'sha256:1',
    ])
  })

  it('is asked about by the programs that run with it, Keepalived by each node', () => {
    const { files } = render(model)
    const { haproxy, keepalived, nginx } = stackChecks(model, files, 'rpi2')
    assert.deepEqual([haproxy.text, haproxy.template], [files['haproxy.cfg'], 'templates/haproxy.cfg.ejs'])
    assert.ok(keepalived.command.includes('--config-id=rpi2'))
    assert.deepEqual([nginx.image, nginx.network], ['nginx:1.28-alpine', 'bridge'])
    const compose = load(files['docker-compose.yml'] ?? '')
    for (const [service, { path }] of Object.entries({ haproxy, keepalived, nginx }))
      assert.equal(at(compose, 'services', service, 'configs', '0', 'target'), path)
  })

  it('tells its statistics without a password to its own machine only', () => {
    const parts = (render(model).files['haproxy.cfg'] ?? '').split(/^(?=\w)/m)
    const open = parts.filter((part) => part.includes('stats enable'))
    assert.deepEqual(open.map((part) => part.match(/^(frontend .*|    bind .*)$/gm)).flat(), [
      'frontend health',
      '    bind 127.0.0.1:8405',
    ])
    assert.doesNotMatch(open.join(''), /stats admin/)
  })

  it('does without unicast for a single load balancer', () => {
    const { files } = render({ ...model, loadbalancers: model.loadbalancers.slice(0, 1) })
    assert.doesNotMatch(files['keepalived.conf'] ?? '', /unicast/)
  })

  it('refuses a cluster without load balancers, and a virtual address that a host has', () => {
    const { hosts, settings } = cluster
    assert.throws(() => stackModel({ hosts, settings, group: () => [] }, () => 'eth0'), InputError)
    const vip = { ...settings.vip, address: '192.168.188.13' }
    const clash = { hosts, settings: { ...settings, vip }, group: (name: string) => cluster.group(name) }
    assert.throws(() => stackModel(clash, () => 'eth0'), /is the address of rpi3/)
  })
})
