import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { templates } from '../../src/cli/project.ts'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { until } from '../../src/lab/wait.ts'
import { file, sysctl } from '../../src/modules/index.ts'
import { loadInventory } from '../../src/inventory/index.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { quote } from '../../src/playbook/sh.ts'
import { play, playbook } from '../../src/playbook/play.ts'
import type { Playbook } from '../../src/playbook/play.ts'
import { shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { startLoad } from '../../src/drill/load.ts'
import { measure } from '../../src/drill/measure.ts'
import { start } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Outcome, Project } from './project.ts'
import { inOrder } from '../in-order.ts'
import { copyShipped } from '../shipped.ts'

const archives = join(cache, 'images')
const root = join(import.meta.dirname, '../..')
const shipped = templates(root)

/** The text of some templates, made of the shipped one. */
type Changes = Readonly<Record<string, (text: string) => string>>

const webServer = (verb: string) => `docker ${verb} $(docker ps -q --filter name=ha-stack_nginx)`

const comment =
  (words: string) =>
  (text: string): string =>
    `# ${words}\n${text}`
const replaced =
  (from: string, to: string) =>
  (text: string): string => {
    assert.ok(text.includes(from), from)
    return text.replace(from, to)
  }

/** A version that never becomes healthy must not take more than a minute to be found out. */
const impatient: Changes = {
  'docker-compose.yml.ejs': (text) =>
    text.replace('start_period: 60s', 'start_period: 5s').replace('retries: 10', 'retries: 3'),
}
/** Another HAProxy, which is well, and web servers that listen where nobody asks them. */
const deaf: Changes = {
  'haproxy.cfg.ejs': comment('deaf'),
  'nginx.conf.ejs': replaced('listen <%= nginx.port %>;', 'listen 8099;'),
}

describe('a redeploy of the stack', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  inOrder(this)
  let lab: LightHosts
  let manager: LightHost
  let worker: LightHost
  let project: Project
  let stack: Playbook
  before(async () => {
    await buildLabImages(archives, hostArch(), () => undefined)
    lab = await startLightHosts({ names: ['rpi1', 'rpi2'], docker: true })
    const [first, second] = lab.hosts
    assert.ok(first && second)
    manager = first
    worker = second
    project = makeProject(
      { rpi1: variablesOf(manager), rpi2: variablesOf(worker) },
      {
        vars: {
          images: {
            archives,
            nginx: 'bramble/nginx:lab',
            haproxy: 'bramble/haproxy:lab',
            keepalived: 'bramble/keepalived:lab',
          },
          haproxy: { stats_password: 'thorny' },
          vip: { address: '10.77.0.200', preempt_delay: 0 },
          stack: { deploy_timeout: 240 },
        },
        children: {
          managers: ['rpi1'],
          workers: ['rpi2'],
          loadbalancers: ['rpi1', 'rpi2'],
          webservers: ['rpi1', 'rpi2'],
        },
      },
    )
    for (const host of lab.hosts) await shell(host, 'mkdir -p /srv/bramble; systemctl start docker')
    copyShipped(project.directory)
    const cluster = await loadInventory(join(project.directory, 'inventory'))
    const load = (name: string) =>
      loadPlaybook(join(project.directory, 'playbooks', name), project.directory, cluster)
    succeeded(await project.apply(await load('vip.ts')))
    succeeded(await project.apply(await load('swarm.ts')))
    stack = await load('stack.ts')
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  const template = (changes: Changes) => (name: string) => {
    const change = changes[name] ?? impatient[name] ?? ((text: string) => text)
    return { name, text: change(shipped(name).text) }
  }
  const apply = (changes: Changes, check = false): Promise<Outcome> =>
    project.apply(stack, { check, template: template(changes) })

  /** Does something while requests go through both load balancers, none of which may fail. */
  async function underLoad<T>(work: () => Promise<T>): Promise<T> {
    const urls = lab.hosts.map(({ address }) => `http://${address}/healthz`)
    const via = ['nsenter', `--net=${lab.namespace}`]
    const load = startLoad(urls, { via, every: 10, kept: 3, rest: 20 })
    const result = await work()
    const { requests, slowest, kept, failures } = measure(await load.stop(), 0, Infinity)
    console.log(`      ${requests} + ${kept.requests} requests, the slowest took ${slowest} ms`)
    assert.deepEqual([kept.again, failures], [0, []])
    assert.ok(requests > 200, String(requests))
    return result
  }

  /** The containers of each service on both hosts. */
  async function containers(): Promise<Record<string, string[]>> {
    const list = 'docker ps --no-trunc --format \'{{.Label "com.docker.swarm.service.name"}} {{.ID}}\''
    const lines = (await Promise.all(lab.hosts.map((host) => shell(host, list)))).join('').trim().split('\n')
    const ids = (service: string) =>
      lines.filter((line) => line.startsWith(`ha-stack_${service} `)).toSorted()
    return { haproxy: ids('haproxy'), keepalived: ids('keepalived'), nginx: ids('nginx') }
  }

  /** Which services have other containers now. */
  async function restarted(before: Record<string, string[]>): Promise<string[]> {
    const after = await containers()
    for (const [service, ids] of Object.entries(after)) assert.equal(ids.length, 2, service)
    return Object.keys(before).filter((service) => before[service]?.join() !== after[service]?.join())
  }

  /** What each service is made of, by the names of its configs and secrets, which are hashes. */
  const versions = (): Promise<string> =>
    shell(
      manager,
      `docker service inspect --format '{{.Spec.Name}} {{json .Spec.TaskTemplate.ContainerSpec}}' $(docker service ls -q) | grep -o -e '^[^ ]*' -e '"\\(Config\\|Secret\\)Name":"[^"]*"' | sort`,
    )

  const files = (): Promise<string> => shell(manager, 'cd /opt/bramble/ha-stack; sha256sum *')

  it('comes after a first deploy, where each image takes its configuration first', async () => {
    const first = succeeded(await apply({}))
    const asked = first.tasks.filter(({ title }) => title.includes(' takes '))
    assert.deepEqual(asked.map(({ host, title, status }) => `${host} ${title}: ${status}`).toSorted(), [
      'rpi1 bramble/haproxy:lab takes haproxy.cfg: changed',
      'rpi1 bramble/keepalived:lab takes keepalived.conf: changed',
      'rpi2 bramble/haproxy:lab takes haproxy.cfg: changed',
      'rpi2 bramble/keepalived:lab takes keepalived.conf: changed',
      'rpi2 bramble/nginx:lab takes nginx.conf: changed',
    ])
  })

  it('does nothing when nothing is new: no container is run to ask, not even in check mode', async () => {
    const since = (await shell(manager, 'date +%s')).trim()
    const again = succeeded(await apply({}))
    assert.equal(again.changed, false)
    assert.ok(Object.values(again.hosts).every(({ trips }) => trips <= 2))
    assert.equal((await apply({}, true)).changed, false)
    const events = `docker events --since ${since} --until $(date +%s) --filter event=create --filter event=die`
    for (const host of lab.hosts) assert.equal(await shell(host, events), '')
  })

  for (const [service, file] of [
    ['haproxy', 'haproxy.cfg.ejs'],
    ['nginx', 'nginx.conf.ejs'],
  ] as const) {
    it(`of ${service} fails no request, restarts nothing else and leaves no old version`, async () => {
      const before = await containers()
      const changes = { [file]: comment('new') }
      const foretold = await apply(changes, true)
      assert.deepEqual(foretold.titles('failed'), [])
      assert.deepEqual(await containers(), before)
      succeeded(await underLoad(() => apply(changes)))
      assert.deepEqual(await restarted(before), [service])
      assert.equal(await shell(manager, 'docker config ls -q | wc -l; docker secret ls -q | wc -l'), '2\n1\n')
      succeeded(await apply({}))
    })
  }

  it('or whatever else moves the virtual IP leaves no request that is under way without its answer', async () => {
    const address = '10.77.0.201'
    const withAddress = (verb: string) =>
      `ip address ${verb} ${address}/32 dev $(ip -4 -o address show to ${manager.address} | cut -d ' ' -f 2)`
    // All of it in time for HAProxy, which gives a web server up after some four seconds.
    const underWay = `until ss -Htn state established src ${address} | grep -q .; do sleep 0.1; done`
    const request = `exec 3<>/dev/tcp/${address}/80; printf 'GET / HTTP/1.1\\r\\nHost: site\\r\\nConnection: close\\r\\n\\r\\n' >&3; timeout 20 cat <&3`
    await shell(manager, withAddress('add'))
    await Promise.all(lab.hosts.map((host) => shell(host, webServer('pause'))))
    const move = shell(
      manager,
      `found=yes
timeout 20 sh -c ${quote(underWay)} || found=
${withAddress('delete')}
${webServer('unpause')}
[ -n "$found" ]`,
    )
    const answer = shell(worker, `bash -c ${quote(request)}`)
    try {
      await move
    } finally {
      await shell(worker, webServer('unpause'))
    }
    assert.match(await answer, /^HTTP\/1\.1 [^]*X-Bramble-Balancer: rpi1/i)
  })

  it('does not come from what is unrelated: nothing restarts', async () => {
    const before = await containers()
    const other = play({
      name: 'other',
      hosts: 'all',
      tasks: (host) => [
        sysctl({ settings: { 'net.ipv4.tcp_keepalive_time': 600 } }),
        ...(host.name === 'rpi2' ? [file({ path: '/etc/motd', content: 'rose\n' })] : []),
      ],
    })
    const plays = [other, ...stack.plays]
    const outcome = succeeded(
      await project.apply(playbook({ name: 'both', plays }), { template: template({}) }),
    )
    assert.equal(outcome.titles('changed').length, 3)
    assert.deepEqual(await restarted(before), [])
  })

  const refusals: [file: string, change: Changes[string], says: RegExp][] = [
    [
      'haproxy.cfg',
      replaced('    balance roundrobin', '    balance roundrobbing'),
      /bramble\/haproxy:lab takes haproxy\.cfg[^]*haproxy\.cfg:\d+\] : balance only supports [^]*haproxy\.cfg, line \d+: +balance roundrobbing\n +haproxy\.cfg comes from templates\/haproxy\.cfg\.ejs and the inventory\. Nothing has been replaced\./,
    ],
    [
      'nginx.conf',
      replaced('sendfile on', 'sendfiles on'),
      /unknown directive "sendfiles" in \/etc\/nginx\/nginx\.conf:\d+[^]*nginx\.conf, line \d+: +sendfiles on;/,
    ],
    [
      'keepalived.conf',
      replaced('    init_fail', '    init_fial'),
      /keepalived\.conf: Line \d+\) Unknown keyword 'init_fial'[^]*keepalived\.conf, line \d+: +init_fial/,
    ],
  ]
  for (const [name, change, says] of refusals) {
    it(`with a broken ${name} is refused before anything is replaced`, async () => {
      const before = { containers: await containers(), files: await files(), versions: await versions() }
      const refused = await apply({ [`${name}.ejs`]: change })
      assert.equal(refused.ok, false)
      assert.match(Object.values(refused.reasons).join('\n'), says)
      assert.ok(!refused.titles('changed').includes('stack ha-stack'))
      const after = { containers: await containers(), files: await files(), versions: await versions() }
      assert.deepEqual(after, before)
      for (const host of lab.hosts)
        assert.equal(await shell(host, 'ls /run/bramble/check 2>/dev/null || :'), '')
      assert.equal((await apply({})).changed, false)
    })
  }

  it('with a compose file that Docker refuses leaves all as it was, and says why', async () => {
    const before = { containers: await containers(), versions: await versions() }
    const { reasons } = await apply({
      'docker-compose.yml.ejs': replaced('networks: [host]', 'network: [host]'),
    })
    assert.match(
      reasons['rpi1'] ?? '',
      /stack ha-stack: [^]*Additional property network is not allowed\n[^]*All services of ha-stack are back at the version before\./,
    )
    assert.deepEqual({ containers: await containers(), versions: await versions() }, before)
    succeeded(await apply({}))
  })

  it('that never becomes healthy brings all services back, also those that had been replaced, and fails no request', async () => {
    const before = await versions()
    const { ok, reasons } = await underLoad(() => apply(deaf))
    assert.equal(ok, false)
    assert.match(
      reasons['rpi1'] ?? '',
      /stack ha-stack: [^]*ha-stack_nginx: the update failed and was rolled back or paused\n[^]*ha-stack_nginx\.\S+ on rpi[12]: Complete .* \(it ended by itself, or its health check failed\)\n[^]*All services of ha-stack are back at the version before\.\n/,
    )
    assert.equal(await versions(), before)
    succeeded(await apply({}))
    assert.equal((await apply({})).changed, false)
  })

  it('that is killed on its way, and killed again on its way back, is brought back by the next run', async () => {
    const before = await versions()
    await killedWhen(deaf, async () => (await versions()) !== before)
    assert.notEqual(await versions(), before)
    // Not while the record tells of it: that is for less than a second, between one look and the next.
    await killedWhen(deaf, () => goingBack(before))
    const { ok, reasons } = await apply(deaf)
    assert.equal(ok, false)
    assert.match(reasons['rpi1'] ?? '', /All services of ha-stack are back at the version before\./)
    assert.equal(await versions(), before)
    succeeded(await apply({}))
    assert.equal((await apply({})).changed, false)
    assert.equal(await shell(manager, 'docker config ls -q | wc -l; docker secret ls -q | wc -l'), '2\n1\n')
  })

  it('that was killed when it ran already is seen through by the next run', async () => {
    const changes = { 'nginx.conf.ejs': comment('killed') }
    const before = await versions()
    await killedWhen(changes, async () => (await versions()) !== before)
    const again = succeeded(await apply(changes))
    assert.deepEqual(
      again.titles('changed').filter((title) => title.startsWith('stack')),
      ['stack ha-stack'],
    )
    assert.ok(!(await record()).includes('"former"'))
    assert.equal((await apply(changes)).changed, false)
  })

  const record = (): Promise<string> => shell(manager, 'cat /opt/bramble/ha-stack/.deployed.json')

  /** HAProxy, whose update succeeds, has the version of before again. */
  async function goingBack(before: string): Promise<boolean> {
    const haproxy = /"SecretName":"\S+"/
    return haproxy.exec(await versions())?.[0] === haproxy.exec(before)?.[0]
  }

  /** Runs the program, and ends it and its shell on the manager by SIGKILL once something is so. */
  async function killedWhen(changes: Changes, condition: () => Promise<boolean>): Promise<void> {
    for (const name of ['haproxy.cfg.ejs', 'nginx.conf.ejs', 'docker-compose.yml.ejs']) {
      writeFileSync(join(project.directory, 'templates', name), template(changes)(name).text)
    }
    const program = start(project, ['apply', 'playbooks/stack.ts', '-o', 'lines'])
    try {
      await until('the moment to kill it', 200_000, condition)
    } catch (error) {
      throw new Error(program.printed, { cause: error })
    } finally {
      program.child.kill('SIGKILL')
      await program.ended
      // With its connection gone, the shell may have ended by itself.
      await shell(
        manager,
        'for pid in $(sed -n 2p /run/bramble/lock); do pkill -KILL -P $pid || :; kill -KILL $pid || :; done',
      )
    }
  }
})

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.ok, true, Object.values(outcome.reasons).join('\n'))
  return outcome
}
