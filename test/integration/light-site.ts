import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from '../../src/engine/events.ts'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { until } from '../../src/lab/wait.ts'
import type { ClusterStatus } from '../../src/status/types.ts'
import { named, shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { seed } from '../random.ts'
import { copyShipped } from '../shipped.ts'
import { drawn } from './interrupted.ts'
import { printedBy, start, type Program } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'
import { underLoad } from './under-load.ts'

const archives = join(cache, 'images')
export const names = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
export const vip = '10.77.0.200'

/** The shipped site but for what these hosts have not got: NFS, whose share is always well, and a clock and kernel of their own. */
const playbookOfSite = `import { directory, file, mirrorDirectory, mount, play, playbook, service } from 'bramble'
import docker from './docker.ts'
import stack from './stack.ts'
import swarm from './swarm.ts'
import vip from './vip.ts'

const share = play({
  name: 'share',
  hosts: 'webservers',
  tasks: (_, { cluster }) => [
    directory({ path: '/srv/nfs' }),
    directory({ path: '/srv/nfs/share' }),
    file({ path: '/srv/nfs/share/index.html', content: 'roses\\n' }),
    directory({ path: '/srv/nfs/share/garden' }),
    directory({ path: '/srv/bramble' }),
    mount({ path: '/srv/bramble/share', source: '/srv/nfs/share', type: 'none', options: 'bind,nofail' }),
    directory({ path: mirrorDirectory(cluster.settings.nfs) }),
    file({ path: mirrorDirectory(cluster.settings.nfs) + '/nfs', content: '' }),
    file({ path: '/etc/systemd/system/bramble-content.service', content: '[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' }),
    service({ name: 'bramble-content' }),
  ],
})
export default playbook({ name: 'site', plays: [share, docker, vip, swarm, stack] })
`

/** Four light hosts that serve the site, for the tests of a suite; rpi1 holds the virtual IP. */
export function lightSite() {
  let lab: LightHosts
  let project: Project

  before(async () => {
    await buildLabImages(archives, hostArch(), () => undefined)
    lab = await startLightHosts({ names, docker: true })
    const [first] = lab.hosts
    assert.ok(first)
    // As in an inventory that people write: what all have in common stands once.
    // The project records the keys that it meets: one of them will be another.
    const { ansible_host: _, known_hosts: __, ...common } = variablesOf(first)
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
    copyShipped(project.directory)
    writeFileSync(join(project.directory, 'playbooks/site.ts'), playbookOfSite)
    await bramble(0, 'apply')
    await until('rpi1 to hold the virtual IP', 90_000, async () => (await holders()).join() === 'rpi1')
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  /** Two of the first steps are begun by a program that dies. */
  function killedUnderLoad(among: number, ...command: string[]): Promise<Event[]> {
    return underLoad(command, { ...site(), folder: project.directory, chosen: drawn(seed, 2, among) })
  }

  /** Asked for by clients in the network of the hosts. */
  function site() {
    return { url: `http://${vip}/`, via: ['nsenter', `--net=${lab.namespace}`], every: 10 }
  }

  function inventory(): string {
    return readFileSync(join(project.directory, 'inventory/hosts.yml'), 'utf8')
  }

  function bramble(code: number, ...words: string[]): Promise<string> {
    return printedBy(project, code, words)
  }

  function begin(...words: string[]): Program {
    return start(project, words)
  }

  async function status(): Promise<ClusterStatus> {
    const program = begin('status', '-o', 'json')
    await program.ended
    return JSON.parse(program.printed) as ClusterStatus
  }

  async function holders(of = names): Promise<string[]> {
    const found = await Promise.all(of.map((name) => on(name, `ip -4 -o address show to ${vip}`)))
    return of.filter((_, index) => found[index] !== '')
  }

  async function haproxies(): Promise<string[]> {
    const found = await Promise.all(names.map((name) => on(name, 'pgrep -x haproxy || :')))
    return names.filter((_, index) => found[index] !== '')
  }

  function containers(of = names): Promise<string[]> {
    return Promise.all(of.map((name) => on(name, 'docker ps -q --no-trunc | sort')))
  }

  function host(name: string): LightHost {
    return named(lab, name)
  }

  function on(name: string, script: string): Promise<string> {
    return shell(host(name), script)
  }

  return {
    get lab() {
      return lab
    },
    get directory() {
      return project.directory
    },
    begin,
    bramble,
    containers,
    haproxies,
    holders,
    host,
    inventory,
    killedUnderLoad,
    on,
    site,
    status,
  }
}
