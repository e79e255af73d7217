import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { until } from '../../src/lab/wait.ts'
import type { ClusterStatus } from '../../src/status/types.ts'
import { onHost, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { startLoad } from '../../src/drill/load.ts'
import { measure } from '../../src/drill/measure.ts'
import { start } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'

const archives = join(cache, 'images')
const names = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const vip = '10.77.0.200'
const root = join(import.meta.dirname, '../..')

/** The shipped site but for what these hosts have not got: NFS, and a clock and kernel of their own. */
const site = `import { directory, file, mount, play, playbook } from 'bramble'
import docker from './docker.ts'
import stack from './stack.ts'
import swarm from './swarm.ts'
import vip from './vip.ts'

const share = play({
  name: 'share',
  hosts: 'webservers',
  tasks: () => [
    directory({ path: '/srv/nfs' }),
    directory({ path: '/srv/nfs/share' }),
    file({ path: '/srv/nfs/share/index.html', content: 'roses\\n' }),
    directory({ path: '/srv/bramble' }),
    mount({ path: '/srv/bramble/share', source: '/srv/nfs/share', type: 'none', options: 'bind,nofail' }),
  ],
})
export default playbook({ name: 'site', plays: [share, docker, vip, swarm, stack] })
`

describe('nodes that come and go, on real hosts and under load', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  this.bail(true)
  let lab: LightHosts
  let project: Project

  before(async () => {
    await buildLabImages(archives, hostArch(), () => undefined)
    lab = await startLightHosts({ names, docker: true })
    const [first] = lab.hosts
    assert.ok(first)
    // As in an inventory that people write: what all have in common stands once.
    const { ansible_host: _, ...common } = variablesOf(first)
    project = makeProject(
      Object.fromEntries(lab.hosts.map(({ name, address }) => [name, { ansible_host: address }])),
      {
        vars: {
          ...common,
          vip: { address: vip },
          images: {
            archives,
            nginx: 'bramble/nginx:lab',
            haproxy: 'bramble/haproxy:lab',
            keepalived: 'bramble/keepalived:lab',
          },
        },
        children: {
          managers: ['rpi1', 'rpi2', 'rpi3'],
          workers: ['rpi4'],
          loadbalancers: ['rpi1', 'rpi2'],
          webservers: names,
          nfs_server: ['rpi3'],
        },
      },
    )
    for (const folder of ['playbooks', 'templates']) {
      cpSync(join(root, folder), join(project.directory, folder), { recursive: true })
    }
    writeFileSync(join(project.directory, 'playbooks/site.ts'), site)
    await bramble(0, 'apply')
    await until('rpi1 to hold the virtual IP', 90_000, async () => (await holders()).join() === 'rpi1')
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  it('upgrade: a cluster with nothing to do is left alone, whatever else it was asked', async () => {
    const before = await containers()
    const printed = await bramble(0, 'apply', 'playbooks/upgrade.ts')
    assert.match(printed, /nothing was written|package lists/)
    assert.deepEqual(await containers(), before)
  })

  it('upgrade: a reboot of every node, one after another, fails no request', async () => {
    for (const name of names) await on(name, 'touch /run/reboot-required')
    const boots = await Promise.all(names.map((name) => on(name, 'stat -c %i,%Z /run/systemd')))
    const printed = await underLoad(0, 'apply', 'playbooks/upgrade.ts')
    assert.match(printed, /reboot \(upgrade\)/)
    const after = await Promise.all(names.map((name) => on(name, 'stat -c %i,%Z /run/systemd')))
    for (const [index, name] of names.entries()) assert.notEqual(after[index], boots[index], name)
    assert.deepEqual(await holders(), ['rpi1'])
    assert.deepEqual((await status()).problems, [])
  })

  it('remove: what cannot be done without is refused before anything is touched', async () => {
    assert.match(
      await bramble(1, 'node', 'remove', 'rpi3', '--yes'),
      /rpi3 cannot be removed: it is the NFS server/,
    )
    assert.match(await bramble(1, 'node', 'remove', 'rpi9', '--yes'), /rpi9/)
  })

  it('remove: the check shows the steps and does nothing', async () => {
    const before = await containers()
    const printed = await bramble(3, 'node', 'remove', 'rpi4', '--check')
    assert.match(printed, /would change +node rpi4 drained/)
    assert.deepEqual(await containers(), before)
    assert.match(readFileSync(join(project.directory, 'inventory/hosts.yml'), 'utf8'), /rpi4/)
  })

  it('remove: a worker goes, without a failed request, and is given back as it was', async () => {
    const others = await containers()
    const printed = await underLoad(0, 'node', 'remove', 'rpi4', '--yes')
    assert.doesNotMatch(readFileSync(join(project.directory, 'inventory/hosts.yml'), 'utf8'), /rpi4/, printed)
    assert.doesNotMatch(await on('rpi1', 'docker node ls'), /rpi4/)
    assert.match(await on('rpi4', `docker info -f '{{.Swarm.LocalNodeState}}'`), /inactive/)
    assert.equal(await on('rpi4', 'ls /etc/docker/daemon.json /opt/bramble/ha-stack 2>/dev/null || :'), '')
    assert.doesNotMatch(await on('rpi1', 'cat /opt/bramble/ha-stack/haproxy.cfg'), /rpi4/)
    // HAProxy has to learn of it; Nginx and Keepalived have not.
    const now = await containers()
    for (const index of [0, 1, 2]) {
      const kept = (others[index] ?? '').split('\n').filter((id) => id !== '' && now[index]?.includes(id))
      assert.equal(kept.length, index < 2 ? 2 : 1, names[index])
    }
  })

  it('add: it comes back by one command, without a failed request', async () => {
    const groups = 'workers,webservers'
    const words = ['node', 'add', 'rpi4', '--address', '10.77.0.14', '--groups', groups]
    await underLoad(0, ...words)
    await bramble(0, ...words)
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('reset: everything is taken away from all, the virtual IP too, and apply brings it back', async () => {
    await bramble(0, 'reset', '--yes')
    assert.deepEqual(await holders(), [])
    for (const name of names) {
      assert.match(await on(name, `docker info -f '{{.Swarm.LocalNodeState}}'`), /inactive/)
      assert.equal(
        await on(name, 'docker ps -q; ls /etc/docker/daemon.json /opt/bramble/ha-stack 2>/dev/null || :'),
        '',
      )
      assert.equal(await on(name, 'sysctl -n net.ipv4.ip_unprivileged_port_start'), '1024\n')
    }
    await bramble(0, 'reset', '--yes')
    await bramble(0, 'apply')
    await until('all to be well', 90_000, async () => (await status()).problems.length === 0)
  })

  async function underLoad(code: number, ...words: string[]): Promise<string> {
    // A kept connection does not outlive a move of the address that it goes to.
    const load = startLoad([`http://${vip}/`], {
      via: ['nsenter', `--net=${lab.namespace}`],
      every: 10,
      kept: 0,
    })
    const printed = await bramble(code, ...words)
    const { requests, failures, slowest } = measure(await load.stop(), 0, Infinity)
    console.log(`      ${requests} requests, slowest ${slowest} ms`)
    assert.deepEqual(failures, [], printed)
    return printed
  }

  async function bramble(code: number, ...words: string[]): Promise<string> {
    const program = start(project, [...words, ...(words.includes('-o') ? [] : ['-o', 'lines'])])
    assert.equal(await program.ended, code, program.printed)
    return program.printed
  }

  async function status(): Promise<ClusterStatus> {
    const program = start(project, ['status', '-o', 'json'])
    await program.ended
    return JSON.parse(program.printed) as ClusterStatus
  }

  async function holders(): Promise<string[]> {
    const found = await Promise.all(names.map((name) => on(name, `ip -4 -o address show to ${vip}`)))
    return names.filter((_, index) => found[index] !== '')
  }

  function containers(): Promise<string[]> {
    return Promise.all(names.map((name) => on(name, 'docker ps -q --no-trunc | sort')))
  }

  function host(name: string): LightHost {
    const found = lab.hosts.find((one) => one.name === name)
    assert.ok(found)
    return found
  }

  async function on(name: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(host(name), `set -e\n${script}`)
    assert.equal(code, 0, `${script}\n${stderr}`)
    return stdout
  }
})
