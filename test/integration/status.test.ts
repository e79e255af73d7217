import assert from 'node:assert/strict'
import { join } from 'node:path'
import { loadInventory } from '../../src/inventory/index.ts'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { until } from '../../src/lab/wait.ts'
import { directory, file, mount } from '../../src/modules/index.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import type { Resource } from '../../src/playbook/resource.ts'
import type { ClusterStatus } from '../../src/status/types.ts'
import { named, shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { startProxy, type Proxy } from '../proxy.ts'
import { start } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'

const archives = join(cache, 'images')
const names = ['rpi1', 'rpi2', 'rpi3']
const vip = '10.77.0.200'
/** Seconds that rpi3 has to answer, since it is the one that falls silent. */
const timeout = 30

/** The share without NFS, which the kernel of these hosts may lack. */
const share: Resource[] = [
  directory({ path: '/srv/nfs' }),
  directory({ path: '/srv/nfs/share' }),
  file({ path: '/srv/nfs/share/index.html', content: 'roses\n' }),
  directory({ path: '/srv/bramble' }),
  mount({ path: '/srv/bramble/share', source: '/srv/nfs/share', type: 'none', options: 'bind,nofail' }),
]

/** What logins and Docker write by themselves. */
const alive = `/proc /sys /dev /tmp /run/systemd /run/log /run/utmp /run/user /run/motd.dynamic /run/sudo /run/docker
  /run/containerd /run/host /var/log /var/lib/docker /var/lib/containerd /var/lib/sudo /var/lib/systemd`

describe('the status of a cluster on real hosts', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let proxy: Proxy
  let project: Project

  before(async () => {
    await buildLabImages(archives, hostArch(), () => undefined)
    lab = await startLightHosts({ names, docker: true })
    proxy = await startProxy(['nsenter', `--net=${lab.namespace}`, 'socat', '-', 'TCP:10.77.0.13:22'])
    project = makeProject(
      {
        rpi1: { ...variablesOf(host('rpi1')), ansible_timeout: 40 },
        rpi2: { ...variablesOf(host('rpi2')), ansible_timeout: 40 },
        rpi3: {
          ...variablesOf(host('rpi3')),
          address: '10.77.0.13',
          ansible_host: '127.0.0.1',
          ansible_port: proxy.port,
          ansible_timeout: timeout,
          known_hosts: undefined,
          proxy_command: undefined,
        },
      },
      {
        vars: {
          // rpi1 takes it even if rpi2 was there first.
          vip: { address: vip, preempt_delay: 0 },
          images: {
            archives,
            nginx: 'bramble/nginx:lab',
            haproxy: 'bramble/haproxy:lab',
            keepalived: 'bramble/keepalived:lab',
          },
        },
        children: {
          managers: ['rpi1'],
          workers: ['rpi2', 'rpi3'],
          loadbalancers: ['rpi1', 'rpi2'],
          webservers: names,
          nfs_server: ['rpi3'],
        },
      },
    )
    await apply()
    await until('all to be well', 60_000, isWell)
  })

  after(async () => {
    await proxy?.stop()
    project?.remove()
    await lab?.stop()
  })

  it('is all well, in one screen and as one object', async () => {
    const { code, found } = await status()
    assert.deepEqual([code, found.ok, found.problems], [0, true, []])
    assert.deepEqual(found.vip, { address: vip, holders: ['rpi1'] })
    assert.deepEqual(
      found.nodes.map(({ name, role, leader, state, availability }) => [
        name,
        role,
        leader,
        state,
        availability,
      ]),
      [
        ['rpi1', 'manager', true, 'ready', 'active'],
        ['rpi2', 'worker', false, 'ready', 'active'],
        ['rpi3', 'worker', false, 'ready', 'active'],
      ],
    )
    for (const node of found.nodes) {
      assert.match(`${node.docker} ${node.kernel} ${node.os}`, /^\d+\.\d+\S* \d+\.\S+ Debian GNU\/Linux 12/)
      assert.ok((node.load ?? -1) >= 0 && Date.parse(node.up_since ?? '') < Date.now())
      const { from = '', until = '' } = node.certificate ?? {}
      assert.equal(Math.round((Date.parse(until) - Date.parse(from)) / 86_400_000), 90)
      assert.deepEqual(node.share, { path: '/srv/bramble/share', mounted: true, answers: true, error: null })
    }
    assert.deepEqual(
      found.services?.map(({ name, running, desired }) => `${name} ${running}/${desired}`),
      ['haproxy 2/2', 'keepalived 2/2', 'nginx 3/3'],
    )
    assert.deepEqual(
      found.balancers.map(({ name, servers }) => [
        name,
        ...servers.map((one) => `${one.name} ${one.status}`),
      ]),
      ['rpi1', 'rpi2'].map((name) => [name, 'rpi1 UP', 'rpi2 UP', 'rpi3 UP']),
    )
    const text = start(project, ['status'])
    assert.equal(await text.ended, 0)
    const lines = text.printed.trimEnd().split('\n')
    assert.ok(lines.length <= 23 && lines.every((line) => line.length <= 80), text.printed)
    assert.match(text.printed, /^ha-stack +all is well /)
  })

  it('takes one connection to a host, and writes nothing there', async () => {
    const prune = alive
      .split(/\s+/)
      .map((path) => `-path ${path}`)
      .join(' -o ')
    for (const name of names) await on(name, 'touch /dev/shm/mark')
    const before = await logins(names)
    assert.equal((await status()).code, 0)
    assert.deepEqual(
      await logins(names),
      before.map((count) => count + 1),
    )
    for (const name of names) {
      assert.equal(
        await on(
          name,
          `find / \\( ${prune} \\) -prune -o -newer /dev/shm/mark ! -path / ! -path /run -print`,
        ),
        '',
      )
    }
  })

  it('is of some hosts only, and what the others would know is no problem', async () => {
    const { code, found } = await status('-l', 'rpi3')
    assert.deepEqual([code, found.ok, found.nodes.length, found.services], [0, true, 1, null])
  })

  it('shows what is wrong, the worst first, and is well again when that is mended', async () => {
    await on('rpi2', `ip address add ${vip}/32 dev eth0`)
    await on(
      'rpi3',
      `umount -l /srv/bramble/share; printf 'source=mirror\\nreason=the share fails\\n' >/run/bramble/content`,
    )
    // Whoever starts it anew finds no image.
    await on('rpi2', `docker rmi -f bramble/nginx:lab; docker rm -f $(docker ps -q --filter name=nginx)`)
    const wanted = [
      `the virtual IP ${vip} is on rpi1 and rpi2 at the same time`,
      /^service nginx: 2 of 3 tasks run; rpi2: .*No such image: bramble\/nginx:lab/,
      /^rpi2 is DOWN for HAProxy on rpi1, rpi2: L4CON: Connection refused$/,
      'rpi3: the mirror is served: the share fails',
    ]
    let last: ClusterStatus | undefined
    await until('all of it to be seen', 60_000, async () => {
      const { code, found } = await status()
      last = found
      const whats = found.problems.map(({ what }) => what)
      return (
        code === 2 &&
        wanted.every((one, index) =>
          typeof one === 'string' ? whats[index] === one : one.test(whats[index] ?? ''),
        )
      )
    }).catch((cause: unknown) => {
      throw new Error(JSON.stringify(last?.problems, null, 2), { cause })
    })
    const [release = ''] = last?.problems[0]?.commands ?? []
    assert.equal(release, `bramble exec rpi2 -- ip address del ${vip}/32 dev eth0`)
    // As it is told.
    const exec = start(project, release.split(' ').slice(1))
    assert.equal(await exec.ended, 0, exec.printed)
    await on('rpi3', 'rm /run/bramble/content')
    await apply()
    await until('all to be well', 60_000, isWell)
  })

  it('looks again and again over one connection, tells of a host that falls silent, and ends with Ctrl-C', async () => {
    const [before = 0] = await logins(['rpi1'])
    const watch = start(project, ['status', '--watch', '-o', 'json'])
    const seen = (): ClusterStatus[] =>
      watch.printed
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as ClusterStatus)
    try {
      await until('three looks', 60_000, () => seen().filter(({ ok }) => ok).length >= 3)
      assert.deepEqual(await logins(['rpi1']), [before + 1])
      proxy.hush()
      const told = () => seen().find(({ nodes }) => nodes[2]?.reachable === false)
      await until('the silence to be told', 60_000, () => told() !== undefined)
      const { problems, nodes, services, vip: address } = told() as ClusterStatus
      assert.match(problems[0]?.what ?? '', /^rpi3: has not answered for \d+ s$/)
      assert.deepEqual([nodes[0]?.reachable, nodes[1]?.reachable, address.holders], [true, true, ['rpi1']])
      assert.ok(services)
      proxy.heal()
      await until('it to be back', 60_000, () => seen().at(-1)?.nodes[2]?.reachable === true)
    } finally {
      watch.child.kill('SIGINT')
    }
    assert.equal(await watch.ended, 0, watch.printed)
  })

  it('is not held up by a host that does not answer: it is told once the others have long answered', async () => {
    proxy.hush()
    const before = performance.now()
    const { code, found } = await status()
    const took = performance.now() - before
    proxy.heal()
    assert.equal(code, 2)
    assert.ok(took < timeout * 1000, `${took} ms: it had all of its own time`)
    assert.match(found.problems[0]?.what ?? '', /^rpi3: has not answered for \d+ s$/)
    assert.deepEqual([found.problems.length, found.services?.length, found.nodes[2]?.state], [1, 3, 'ready'])
  })

  async function apply(): Promise<void> {
    await applied(share)
    const cluster = await loadInventory(join(project.directory, 'inventory'))
    for (const name of ['vip', 'swarm', 'stack']) {
      const path = join(import.meta.dirname, `../../playbooks/${name}.ts`)
      await applied(await loadPlaybook(path, project.directory, cluster))
    }
  }

  async function applied(what: Parameters<Project['apply']>[0]): Promise<void> {
    const { ok, reasons } = await project.apply(what)
    assert.ok(ok, JSON.stringify(reasons))
  }

  async function isWell(): Promise<boolean> {
    const { ok, vip: address } = (await status()).found
    return ok && address.holders[0] === 'rpi1'
  }

  /** How often somebody has logged in to each, tests as root left out. */
  function logins(those: readonly string[]): Promise<number[]> {
    return Promise.all(
      those.map(async (name) =>
        Number(await on(name, `journalctl -q _COMM=sshd | grep -c 'Accepted .* for pi '`)),
      ),
    )
  }

  async function status(...words: string[]): Promise<{ code: number | null; found: ClusterStatus }> {
    const program = start(project, ['status', '-o', 'json', ...words])
    const code = await program.ended
    return { code, found: JSON.parse(program.printed) as ClusterStatus }
  }

  function host(name: string): LightHost {
    return named(lab, name)
  }

  function on(name: string, script: string): Promise<string> {
    return shell(host(name), script)
  }
})
