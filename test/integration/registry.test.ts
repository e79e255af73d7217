import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { run } from '../../src/lab/run.ts'
import { until } from '../../src/lab/wait.ts'
import { image } from '../../src/modules/index.ts'
import { play, playbook } from '../../src/playbook/play.ts'
import { inOrder } from '../in-order.ts'
import { named, shell, startLightHosts } from '../light-host.ts'
import type { LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { copyShipped } from '../shipped.ts'
import { printedBy } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'
import { underLoad } from './under-load.ts'

const archives = join(cache, 'images')
const names = ['rpi1', 'rpi2']
const vip = '10.77.0.200'
const registry = '10.77.0.11:5000'

const services = ['nginx', 'haproxy', 'keepalived']

/** What a user may change about images, and the services that start anew for it. */
const changes: { title: string; edits: [path: string, old: string, text: string][]; anew: string[] }[] = [
  {
    title: 'a changed Dockerfile is built anew on each load balancer',
    edits: [['templates/keepalived/Dockerfile', '\nENTRYPOINT', '\nRUN echo thorn >/etc/rose\n\nENTRYPOINT']],
    anew: ['keepalived'],
  },
  {
    title: 'a changed keepalived.conf is rolled out',
    edits: [['templates/keepalived.conf.ejs', 'vrrp_garp_master_refresh 10', 'vrrp_garp_master_refresh 11']],
    anew: ['keepalived'],
  },
  {
    title: 'other images of Nginx and HAProxy are rolled out',
    edits: ['nginx', 'haproxy'].map((name) => [
      'inventory/hosts.yml',
      `${registry}/${name}:1`,
      `${registry}/${name}:2`,
    ]),
    anew: ['nginx', 'haproxy'],
  },
]

/** The shipped site but for the share, which light hosts cannot have, and for what preflight asks of real machines. */
const site = `import { directory, file, play, playbook } from 'bramble'
import docker from './docker.ts'
import stack from './stack.ts'
import swarm from './swarm.ts'
import vip from './vip.ts'

const share = play({
  name: 'share',
  hosts: 'webservers',
  tasks: () => [
    directory({ path: '/srv/bramble' }),
    directory({ path: '/srv/bramble/share' }),
    file({ path: '/srv/bramble/share/index.html', content: 'roses\\n' }),
  ],
})
export default playbook({ name: 'site', plays: [share, docker, vip, swarm, stack] })
`

/** Serves images as a registry does, over HTTP, and a Debian to build others from. */
const serve = `export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends docker-registry mmdebstrap >/dev/null
# Debian's own asks for a password.
cat >/etc/docker/registry/config.yml <<'END'
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/docker-registry
http:
  addr: :5000
END
systemctl restart docker-registry
curl -sS --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:5000/v2/
local=127.0.0.1:5000
mmdebstrap --quiet --mode=root --variant=minbase bookworm - /etc/apt/sources.list | docker import - $local/debian:12-slim
for name in nginx haproxy; do
  docker tag bramble/$name:lab $local/$name:1
  printf 'FROM %s\\nLABEL rose=2\\n' $local/$name:1 | docker build --quiet --tag $local/$name:2 -
done
for image in nginx:1 nginx:2 haproxy:1 haproxy:2 debian:12-slim; do docker push --quiet $local/$image; done
docker rmi $(docker images --format '{{.Repository}}:{{.Tag}}')`

describe('images from a registry, and a Keepalived that is built on the nodes, on real hosts', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  inOrder(this)
  let lab: LightHosts
  let project: Project

  before(async () => {
    await buildLabImages(archives, hostArch(), () => undefined)
    lab = await startLightHosts({ names, docker: true })
    for (const name of ['nginx', 'haproxy']) {
      const archive = readFileSync(join(archives, `bramble-${name}.tar`)).toString('base64')
      await on('rpi1', `base64 --decode <<'END' | docker load\n${archive}\nEND\n`)
    }
    await on('rpi1', serve)
    project = makeProject(Object.fromEntries(lab.hosts.map((host) => [host.name, variablesOf(host)])), {
      vars: {
        // Long, so that the address is back by then only if it was handed back.
        vip: { address: vip, preempt_delay: 90 },
        images: { nginx: `${registry}/nginx:1`, haproxy: `${registry}/haproxy:1` },
      },
      children: { managers: ['rpi1'], workers: ['rpi2'], loadbalancers: names, webservers: names },
    })
    copyShipped(project.directory)
    writeFileSync(join(project.directory, 'playbooks/site.ts'), site)
    // As somebody does who has such a registry.
    edit('templates/daemon.json.ejs', '{', `{\n  "insecure-registries": ["${registry}"],`)
    edit('templates/keepalived/Dockerfile', '\nFROM debian:', `\nFROM ${registry}/debian:`)
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  it('an image is pulled from its registry, once, and again when it is gone', async () => {
    const pulled = [image({ reference: '127.0.0.1:5000/nginx:1', from: 'registry' })]
    const first = playbook({
      name: 'pull',
      plays: [play({ name: 'pull', hosts: 'rpi1', tasks: () => pulled })],
    })
    for (const changed of [true, false]) {
      const { ok, reasons, ...outcome } = await project.apply(first)
      assert.deepEqual([ok, outcome.changed], [true, changed], reasons['rpi1'])
    }
    await on('rpi1', 'docker rmi 127.0.0.1:5000/nginx:1')
    assert.deepEqual((await project.apply(first)).titles('changed'), ['image 127.0.0.1:5000/nginx:1'])
    const inside = 'docker run --rm --entrypoint /bin/echo 127.0.0.1:5000/nginx:1 hello'
    assert.equal(await on('rpi1', inside), 'hello\n')
  })

  it('the whole site runs with them: Keepalived is built on each load balancer, the rest is pulled', async () => {
    const printed = await bramble(0, 'apply')
    assert.match(printed, /image localhost\/bramble-keepalived:local, built from/)
    await until('rpi1 to hold the virtual IP', 150_000, async () => (await holders()).join() === 'rpi1')
    const answered = new Set<string>()
    await until('both web servers to have answered', 60_000, async () => {
      const page = ['curl', '-sS', '-m', '5', '-D', '-', `http://${vip}/`]
      const answer = await run(['nsenter', `--net=${lab.namespace}`, ...page])
      assert.match(answer, /\r\n\r\nroses\n$/)
      answered.add(/x-bramble-node: (\w+)/i.exec(answer)?.[1] ?? answer)
      return answered.size === names.length
    })
    for (const name of names) {
      // Built from Debian's packages by the Dockerfile of the project.
      assert.match(
        await on(name, `docker exec ${await container(name, 'keepalived')} keepalived --version 2>&1`),
        /^Keepalived v2\.2\.7/,
      )
    }
  })

  it('a second run changes nothing', async () => {
    assert.match(await bramble(0, 'apply'), /nothing was written/)
  })

  for (const { title, edits, anew } of changes) {
    it(`${title}, what does not use it is left alone, and rpi1 holds the virtual IP at the end: no request fails`, async () => {
      const before = await containers()
      for (const [path, old, text] of edits) edit(path, old, text)
      await underLoad(['apply'], load())
      const after = await containers()
      for (const [of, id] of Object.entries(before)) {
        assert.equal(after[of] !== id, anew.includes(of.split(' ')[1] ?? ''), of)
      }
      // Whichever Keepalived was replaced last.
      assert.deepEqual(await holders(), ['rpi1'])
      assert.match(await bramble(0, 'apply'), /nothing was written/)
    })
  }

  it('where the less preferred load balancer has the virtual IP, an apply that changes something hands it back: no request fails', async () => {
    await on('rpi1', `docker kill --signal TERM ${await container('rpi1', 'keepalived')}`)
    await until('rpi2 alone to hold it', 30_000, async () => (await holders()).join() === 'rpi2')
    await until('the Keepalived of rpi1 to be ready again', 30_000, async () =>
      /Entering BACKUP/.test(
        await on('rpi1', 'docker logs $(docker ps -q --filter name=_keepalived) 2>&1 || :'),
      ),
    )
    edit('templates/nginx.conf.ejs', 'events {', 'events { # thorn')
    const events = await underLoad(['apply'], load())
    assert.deepEqual(await holders(), ['rpi1'])
    // It is a part of what check mode has named: the change of the stack.
    const told = events.flatMap((event) =>
      event.type === 'task' && /held elsewhere/.test(event.title) ? [`${event.host} ${event.status}`] : [],
    )
    assert.deepEqual(told, ['rpi2 ok'])
    assert.match(await bramble(0, 'apply'), /nothing was written/)
  })

  it('what was changed is what runs', async () => {
    for (const name of names) {
      const inside = `docker exec ${await container(name, 'keepalived')}`
      assert.equal(await on(name, `${inside} cat /etc/rose`), 'thorn\n')
      assert.match(
        await on(name, `${inside} cat /etc/keepalived/keepalived.conf`),
        /vrrp_garp_master_refresh 11\b/,
      )
      for (const service of ['nginx', 'haproxy']) {
        const image = await on(
          name,
          `docker inspect --format '{{.Config.Image}}' ${await container(name, service)}`,
        )
        assert.match(image, new RegExp(`^${registry}/${service}:2@sha256:`))
      }
    }
  })

  it('each Keepalived that was replaced while it held the virtual IP has held connections back', async () => {
    const logs = 'for id in $(docker ps -aq --filter name=_keepalived); do docker logs $id 2>&1; done'
    const told = (await Promise.all(names.map((name) => on(name, logs)))).join('')
    assert.match(told, new RegExp(`^Holding connections to ${vip}:80 back$`, 'm'))
    assert.doesNotMatch(told, /Cannot hold/)
  })

  it('an image that the registry does not have is told by its name, and nothing is replaced', async () => {
    const before = await containers()
    edit('inventory/hosts.yml', `${registry}/nginx:2`, `${registry}/nginx:3`)
    const events = await underLoad(['apply'], { ...load(), code: 2 })
    const reasons = events.flatMap((event) => (event.type === 'failed' ? [event.reason] : []))
    assert.match(reasons.join('\n'), new RegExp(`${registry}/nginx:3`))
    assert.deepEqual(await containers(), before)
    edit('inventory/hosts.yml', `${registry}/nginx:3`, `${registry}/nginx:2`)
    assert.match(await bramble(0, 'apply'), /nothing was written/)
  })

  it('reset takes the images away again, also those that the swarm has pulled by their digests', async () => {
    const repositories = "docker image ls --format '{{.Repository}} {{.Tag}}' | sort -u"
    // As it is where the swarm has resolved the tag: Docker keeps no name but the digest.
    await on(
      'rpi2',
      `digest=$(docker inspect --format '{{index .RepoDigests 0}}' ${registry}/nginx:2)
docker rmi --force ${registry}/nginx:2
docker pull --quiet ${registry}/nginx@"\${digest#*@}"`,
    )
    assert.match(await on('rpi2', repositories), /nginx <none>/)
    await bramble(0, 'reset', '--yes')
    for (const name of names) {
      assert.doesNotMatch(await on(name, repositories), /nginx <none>|haproxy 2|keepalived/, name)
    }
  })

  /** Asks for the site from the network of the hosts, and kills nobody. */
  function load() {
    const via = ['nsenter', `--net=${lab.namespace}`]
    return { url: `http://${vip}/`, folder: project.directory, via, every: 10 }
  }

  function edit(path: string, old: string, text: string): void {
    const file = join(project.directory, path)
    const before = readFileSync(file, 'utf8')
    assert.ok(before.includes(old), path)
    writeFileSync(file, before.replace(old, text))
  }

  function bramble(code: number, ...words: string[]): Promise<string> {
    return printedBy(project, code, words)
  }

  function on(name: string, script: string): Promise<string> {
    return shell(named(lab, name), script)
  }

  async function holders(): Promise<string[]> {
    const found = await Promise.all(names.map((name) => on(name, 'ip -4 -o address')))
    return names.filter((_, index) => found[index]?.includes(`${vip}/`))
  }

  /** The containers of all services: `rpi1 nginx` and so on. */
  async function containers(): Promise<Record<string, string>> {
    const all = names.flatMap((name) => services.map((service) => [name, service] as const))
    return Object.fromEntries(
      await Promise.all(
        all.map(async ([name, service]) => [`${name} ${service}`, await container(name, service)] as const),
      ),
    )
  }

  /** The id of the one container of a service that runs there. */
  async function container(name: string, service: string): Promise<string> {
    const ids = await on(name, `docker ps --quiet --filter name=ha-stack_${service}`)
    assert.match(ids, /^\w+\n$/, `${service} on ${name}`)
    return ids.trim()
  }
})
