import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { hostArch } from '../../src/lab/machines.ts'
import { buildLabImages } from '../../src/lab/images.ts'
import { directory, dockerRunning, file, image, loadedImages } from '../../src/modules/index.ts'
import { stack, stackConfigsPruned, swarmInit, swarmLeft, swarmState } from '../../src/modules/index.ts'
import { loadInventory } from '../../src/inventory/index.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { play, playbook } from '../../src/playbook/play.ts'
import type { Play, Playbook } from '../../src/playbook/play.ts'
import type { Resource } from '../../src/playbook/resource.ts'
import { shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { cache } from '../light-tree.ts'
import { generator, rounds, seed } from '../random.ts'
import { changedSince, snapshot } from '../snapshot.ts'
import { execsOf, watchExecs } from './execs.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Outcome, Project } from './project.ts'

const archives = join(cache, 'images')
const nginx = 'bramble/nginx:lab'
const haproxy = 'bramble/haproxy:lab'

const loadNginx: Play['tasks'] = (_, context) => [
  loadedImages({ archives: context.archives, references: [nginx] }),
]

/** All files but those that Docker writes all the time: its own, and the sockets and state of what it runs. */
const files = snapshot(['/var/lib/docker', '/var/lib/containerd', '/run/docker', '/run/containerd'])

/** A site that answers with one word, as a stack of one service. */
function site(word: string, compose: (config: string) => string = services): Resource[] {
  const conf = `events {}\nhttp { server { listen 8080; location / { return 200 "${word}\\n"; } } }\n`
  const config = `site-${createHash('sha256').update(conf).digest('hex').slice(0, 12)}`
  const files = { 'docker-compose.yml': compose(config), 'nginx.conf': conf }
  const path = '/opt/site'
  return [
    directory({ path }),
    ...Object.entries(files).map(([name, content]) => file({ path: `${path}/${name}`, content })),
    stack({ name: 'site', directory: path, files, resolveImage: 'never', timeout: 240 }),
    stackConfigsPruned({ name: 'site', directory: path, keep: [config] }),
  ]
}

function services(config: string): string {
  return `version: '3.8'
services:
  nginx:
    image: ${nginx}
    networks: [host]
    cap_add: [NET_ADMIN]
    configs: [{ source: nginx, target: /etc/nginx/nginx.conf }]
    deploy:
      mode: global
      placement: { constraints: ['node.labels.bramble.webserver == true'] }
      update_config: { order: stop-first, parallelism: 1, monitor: 2s, failure_action: rollback }
      rollback_config: { order: stop-first, parallelism: 1, monitor: 1s }
networks: { host: { external: true, name: host } }
configs: { nginx: { name: ${config}, file: ./nginx.conf } }
`
}

describe('docker on real hosts', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let manager: LightHost
  let worker: LightHost
  let project: Project
  let swarm: Playbook

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
        vars: { images: { archives, nginx, haproxy } },
        children: {
          managers: ['rpi1'],
          workers: ['rpi2'],
          loadbalancers: ['rpi1'],
          webservers: ['rpi1', 'rpi2'],
        },
      },
    )
    swarm = await loadPlaybook(
      join(import.meta.dirname, '../../playbooks/swarm.ts'),
      project.directory,
      await loadInventory(join(project.directory, 'inventory')),
    )
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  /** Applies, sees that it changed what it should on every host, and that a second time nothing is left to do. */
  async function twice(resources: readonly Resource[], changed = resources.map(({ title }) => title)) {
    const first = succeeded(await project.apply(resources))
    assert.deepEqual(unique(first.titles('changed')), changed)
    const second = succeeded(await project.apply(resources))
    assert.deepEqual(unique(second.titles('changed')), [])
    return first
  }

  /** The same on the swarm's manager only. */
  async function onManager(resources: readonly Resource[]): Promise<Outcome> {
    return project.apply(
      playbook({ name: 'test', plays: [{ name: 'test', hosts: 'rpi1', tasks: () => resources }] }),
    )
  }

  it('a daemon that its socket would start is not started by being looked at', async () => {
    for (const host of lab.hosts)
      await shell(host, 'systemctl reset-failed docker; systemctl stop docker 2>&1')
    const { tasks } = await project.apply([dockerRunning(), swarmState()], { check: true })
    assert.deepEqual(unique(tasks.map(({ title, status }) => `${title}: ${status}`)), [
      'docker answers: changed',
      'swarm state: unknown',
    ])
    for (const host of lab.hosts) {
      assert.equal(await shell(host, 'systemctl is-active docker docker.socket || :'), 'inactive\nactive\n')
    }
    await twice([dockerRunning()])
  })

  it('a daemon that hangs is found', async () => {
    await shell(worker, 'systemctl kill --signal STOP docker')
    const { tasks } = await project.apply([dockerRunning()], { check: true })
    await shell(worker, 'systemctl kill --signal CONT docker')
    const [hanging] = tasks.filter(({ status }) => status === 'changed')
    assert.deepEqual([hanging?.host, tasks.length], ['rpi2', 2])
    assert.match(hanging?.diff ?? '', /runs, and gives no answer within 20 s/)
  })

  it('a daemon that does not run is started', async () => {
    for (const host of lab.hosts) await shell(host, 'systemctl stop docker.socket docker')
    await twice([dockerRunning()])
  })

  it('a daemon that cannot start says why', async () => {
    await shell(
      manager,
      `systemctl reset-failed docker; systemctl stop docker.socket docker; mkdir -p /etc/docker; echo '{"thorns": 1}' >/etc/docker/daemon.json`,
    )
    const { reasons } = await onManager([dockerRunning()])
    assert.match(reasons['rpi1'] ?? '', /docker answers: [^]*thorns/)
    await shell(manager, 'rm /etc/docker/daemon.json; systemctl reset-failed docker; systemctl start docker')
  })

  it('images are loaded from archives, once, and again when they are gone', async () => {
    const load = (context: { archives: Parameters<typeof loadedImages>[0]['archives'] }) => [
      loadedImages({ archives: context.archives, references: [nginx, haproxy] }),
    ]
    const first = succeeded(await project.apply((_, context) => load(context)))
    assert.equal(first.titles('changed').length, 2)
    assert.equal((await project.apply((_, context) => load(context))).changed, false)
    const id = await shell(manager, `docker image inspect -f '{{.Id}}' ${nginx}`)
    await shell(manager, `docker rmi ${nginx}`)
    const again = succeeded(await project.apply((_, context) => load(context)))
    assert.deepEqual([again.hosts['rpi1']?.changed, again.hosts['rpi2']?.changed], [1, 0])
    assert.equal(await shell(manager, `docker image inspect -f '{{.Id}}' ${nginx}`), id)
    assert.equal(await shell(manager, `docker run --rm --entrypoint /bin/echo ${nginx} hello`), 'hello\n')
  })

  it('images that the daemon has no more, since it stores them in another way, are found missing', async () => {
    await shell(
      manager,
      `echo '{"storage-driver": "vfs"}' >/etc/docker/daemon.json; systemctl reset-failed docker; systemctl restart docker`,
    )
    const vfs = await project.apply(loadNginx, { check: true })
    assert.deepEqual([vfs.hosts['rpi1']?.changed, vfs.hosts['rpi2']?.changed], [1, 0])
    await shell(
      manager,
      'rm /etc/docker/daemon.json; systemctl reset-failed docker; systemctl restart docker',
    )
    assert.equal((await project.apply(loadNginx, { check: true })).changed, false)
  })

  it('an image is built from a directory, and again when a file there changed', async () => {
    const build = image({ reference: 'rose:1', build: { directory: '/srv/rose' } })
    for (const host of lab.hosts) {
      await shell(
        host,
        `mkdir -p /srv/rose; printf 'FROM ${nginx}\\nCOPY word /word\\n' >/srv/rose/Dockerfile; echo one >/srv/rose/word`,
      )
    }
    await twice([build])
    await shell(worker, 'echo two >/srv/rose/word')
    const again = succeeded(await project.apply([build]))
    assert.deepEqual([again.hosts['rpi1']?.changed, again.hosts['rpi2']?.changed], [0, 1])
    assert.equal(await shell(worker, 'docker run --rm --entrypoint /bin/cat rose:1 /word'), 'two\n')
  })

  it('an image that no registry serves fails with what docker says', async () => {
    const { reasons } = await onManager([image({ reference: 'localhost:9/thorn:1', from: 'registry' })])
    assert.match(reasons['rpi1'] ?? '', /image localhost:9\/thorn:1: [^]*connection refused/)
  })

  it('a swarm is made, joined and labelled, once', async () => {
    const check = await project.apply(swarm, { check: true })
    assert.equal(check.ok, true)
    assert.equal(await shell(manager, `docker info -f '{{.Swarm.LocalNodeState}}'`), 'inactive\n')
    for (const host of lab.hosts) await watchExecs(host)
    const first = succeeded(await project.apply(swarm))
    assert.deepEqual(first.titles('changed'), [
      'swarm led by 10.77.0.11',
      'swarm worker 10.77.0.12',
      'node labels',
    ])
    const nodes = await shell(
      manager,
      `docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'`,
    )
    assert.deepEqual(nodes.trim().split('\n').toSorted(), ['rpi1 Ready Leader', 'rpi2 Ready '.trim()])
    const second = succeeded(await project.apply(swarm))
    assert.equal(second.changed, false)
    assert.ok(Object.values(second.hosts).every(({ trips }) => trips <= 2))
  })

  it('the tokens of that were among the arguments and variables of no process, and are in no log', async () => {
    for (const host of lab.hosts) {
      const execs = await execsOf(host)
      await shell(host, 'systemctl stop execs')
      assert.ok(execs.some(({ argv }) => argv.includes('/swarm/join') || argv.includes('/swarm/init')))
      assert.doesNotMatch(JSON.stringify(execs), /SWMTKN/)
      const log = await shell(host, 'journalctl --no-pager --output cat')
      assert.match(log, /dockerd|containerd/)
      assert.doesNotMatch(log, /SWMTKN/)
      // Docker keeps its own in /var/lib/docker.
      assert.equal(
        await shell(host, 'find /etc /run /srv /tmp /var -xdev -type f -exec grep -lF SWMTKN {} + || :'),
        '',
      )
    }
  })

  it(`labels that drifted at random are shown and mended, and those of others left alone (seed ${seed})`, async () => {
    const next = generator(seed)
    await shell(manager, 'docker node update --label-add colour=red rpi2')
    const labels = (name: string) => shell(manager, `docker node inspect -f '{{json .Spec.Labels}}' ${name}`)
    const before = await Promise.all(['rpi1', 'rpi2'].map(labels))
    for (let round = 1; round <= rounds(3); round += 1) {
      const all = labelDrifts(`weed-${Math.floor(next() * 1e6)}`)
      const chosen = all.filter((_, index) => index === round % all.length || next() < 0.4)
      await shell(
        manager,
        chosen.map(({ node, option }) => `docker node update ${option} ${node}`).join('\n'),
      )
      const check = await project.apply(swarm, { check: true })
      assert.deepEqual(check.titles('changed'), ['node labels'])
      const diff = check.tasks.find(({ status }) => status === 'changed')?.diff ?? ''
      for (const { shows } of chosen)
        assert.ok(diff.split('\n').includes(shows), `${shows}\nis not in\n${diff}`)
      assert.deepEqual(succeeded(await project.apply(swarm)).titles('changed'), ['node labels'])
      assert.deepEqual(await Promise.all(['rpi1', 'rpi2'].map(labels)), before)
      const third = await project.apply(swarm, { check: true })
      assert.deepEqual([...third.titles('changed'), ...third.titles('unknown')], [])
    }
  })

  it('a manager that waits to be unlocked is not taken for an active one', async () => {
    const key = await shell(
      manager,
      'docker swarm update --autolock=true >/dev/null; docker swarm unlock-key -q; systemctl restart docker',
    )
    const { tasks } = await onManager([swarmState(), swarmInit({ advertise: manager.address })])
    await shell(manager, `echo ${key.trim()} | docker swarm unlock; docker swarm update --autolock=false`)
    assert.deepEqual(
      tasks.map(({ status }) => status),
      ['ok', 'failed'],
    )
    assert.match(tasks[1]?.reason ?? '', /the swarm of this host is locked/)
    assert.equal(succeeded(await project.apply(swarm)).changed, false)
  })

  it('a member whose Docker is stopped leaves its swarm all the same', async () => {
    await shell(worker, 'systemctl stop docker.socket docker')
    const left = playbook({
      name: 'left',
      plays: [play({ name: 'left', hosts: 'rpi2', tasks: () => [swarmLeft()] })],
    })
    assert.deepEqual(succeeded(await project.apply(left)).titles('changed'), ['in no swarm'])
    assert.equal(await shell(worker, `docker info -f '{{.Swarm.LocalNodeState}}'`), 'inactive\n')
    assert.equal(succeeded(await project.apply(left)).changed, false)
    await shell(manager, 'docker node rm --force rpi2')
    assert.ok(
      succeeded(await project.apply(swarm))
        .titles('changed')
        .includes('swarm worker 10.77.0.12'),
    )
  })

  it('a machine that leads a swarm of its own is not joined by force, and no token is told', async () => {
    await shell(worker, 'docker swarm leave; docker swarm init --advertise-addr 10.77.0.12 >/dev/null')
    const { reasons } = await project.apply(swarm)
    assert.match(reasons['rpi2'] ?? '', /swarm worker 10\.77\.0\.12: this host is in another swarm/)
    await shell(worker, 'docker swarm leave --force')
    await shell(manager, 'docker node rm --force rpi2')
    const joined = succeeded(await project.apply(swarm))
    assert.deepEqual(joined.titles('changed'), ['swarm worker 10.77.0.12', 'node labels'])
    const token = (await shell(manager, 'docker swarm join-token -q worker')).trim()
    assert.match(token, /^SWMTKN-/)
    assert.ok(!JSON.stringify(joined).includes(token))
  })

  it('a stack is deployed and runs on every node, once', async () => {
    const first = succeeded(await onManager(site('one')))
    assert.ok(first.titles('changed').includes('stack site'))
    assert.deepEqual(await answers(), ['one\n', 'one\n'])
    const second = succeeded(await onManager(site('one')))
    assert.equal(second.changed, false)
  })

  it('a converged rerun leaves no event with Docker, no new version of anything, and no file that changed', async () => {
    for (const host of lab.hosts) await shell(host, `${files} >/dev/shm/before`)
    const before = { time: await now(manager), versions: await Promise.all(lab.hosts.map(versions)) }
    assert.match(before.versions.join(), /"Index":\d/)
    const again = await project.apply((host, context) => [
      dockerRunning(),
      loadedImages({ archives: context.archives, references: [nginx] }),
      ...(host.name === 'rpi1' ? site('one') : []),
    ])
    assert.deepEqual([again.ok, again.changed], [true, false])
    assert.equal(succeeded(await project.apply(swarm)).changed, false)
    assert.deepEqual(await Promise.all(lab.hosts.map(versions)), before.versions)
    const until = await now(manager)
    for (const host of lab.hosts) {
      assert.equal(await shell(host, `docker events --since ${before.time} --until ${until}`), '')
      assert.equal(await shell(host, changedSince(files)), '')
    }
  })

  it('a changed config is rolled out, and the old one removed', async () => {
    const outcome = succeeded(await onManager(site('two')))
    const { 'stack site': deployed, 'configs and secrets of stack site': pruned } = Object.fromEntries(
      outcome.tasks.map(({ title, status }) => [title, status]),
    )
    assert.deepEqual([deployed, pruned], ['changed', 'changed'])
    assert.deepEqual(await answers(), ['two\n', 'two\n'])
    assert.equal((await shell(manager, 'docker config ls -q')).trim().split('\n').length, 1)
  })

  it('a service that somebody changed or removed is mended', async () => {
    await shell(manager, 'docker service update --detach --quiet --env-add WEED=1 site_nginx')
    assert.deepEqual(succeeded(await onManager(site('two'))).titles('changed'), ['stack site'])
    assert.equal(
      await shell(manager, `docker service inspect -f '{{.Spec.TaskTemplate.ContainerSpec.Env}}' site_nginx`),
      '[]\n',
    )
    await shell(manager, 'docker service rm site_nginx')
    assert.deepEqual(succeeded(await onManager(site('two'))).titles('changed'), ['stack site'])
    assert.deepEqual(await answers(), ['two\n', 'two\n'])
  })

  it('a stack whose update fails says which task and why, and is rolled back', async () => {
    const { reasons } = await onManager(site('two', broken))
    assert.match(
      reasons['rpi1'] ?? '',
      /stack site: [^]*rolled back[^]*site_nginx[^]*on rpi[12]: Failed[^]*\(127\)/,
    )
    assert.deepEqual(await answers(), ['two\n', 'two\n'])
    succeeded(await onManager(site('two')))
  })

  /** A task that runs has been started: it may not listen yet, or a rollback go on after the run has told of it. */
  async function answers(): Promise<string[]> {
    const patience = '--max-time 30 --retry 20 --retry-delay 1 --retry-connrefused'
    return Promise.all(lab.hosts.map((host) => shell(host, `curl -sS ${patience} http://127.0.0.1:8080/`)))
  }
})

/** What somebody may do to the labels of nodes, and the line of a diff that shows it. */
function labelDrifts(word: string): { node: string; option: string; shows: string }[] {
  return [
    { node: 'rpi2', option: '--label-rm bramble.webserver', shows: '+ rpi2: bramble.webserver=true' },
    { node: 'rpi1', option: '--label-rm bramble.loadbalancer', shows: '+ rpi1: bramble.loadbalancer=true' },
    {
      node: 'rpi1',
      option: `--label-add bramble.webserver=${word}`,
      shows: `- rpi1: bramble.webserver=${word}`,
    },
    { node: 'rpi1', option: `--label-add bramble.${word}=1`, shows: `- rpi1: bramble.${word}=1` },
    {
      node: 'rpi2',
      option: '--label-add bramble.loadbalancer=true',
      shows: '- rpi2: bramble.loadbalancer=true',
    },
  ]
}

/** What Docker counts up or dates when something is written. */
function versions(host: LightHost): Promise<string> {
  return shell(
    host,
    `for kind in services nodes configs tasks swarm images/json containers/json; do
curl -sS --unix-socket /run/docker.sock http://docker/$kind | grep -o '"\\(ID\\|Id\\|Index\\|UpdatedAt\\|Created\\)":[^,}]*' || :
done | sort`,
  )
}

async function now(host: LightHost): Promise<string> {
  return (await shell(host, 'date +%s.%N')).trim()
}

function broken(config: string): string {
  return services(config).replace('cap_add:', 'command: [no-such-program]\n    cap_add:')
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.ok, true, Object.values(outcome.reasons).join('\n'))
  return outcome
}

function unique(titles: readonly string[]): string[] {
  return [...new Set(titles)]
}
