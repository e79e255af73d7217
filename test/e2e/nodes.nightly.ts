import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Event } from '../../src/engine/events.ts'
import { inNamespace, kill, labDown, labSsh, labUp, reflash } from '../../src/lab/lab.ts'
import { run } from '../../src/lab/run.ts'
import { quote } from '../../src/playbook/sh.ts'
import type { ClusterStatus } from '../../src/status/types.ts'
import { inOrder } from '../in-order.ts'
import { drawn, interrupted } from '../integration/interrupted.ts'
import { assertLearntOf } from '../integration/learnt.ts'
import { underLoad } from '../integration/under-load.ts'
import { seed } from '../random.ts'
import { watched } from '../watched.ts'
import { eventually } from './cluster.ts'
import { copyShipped } from '../shipped.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const vip = '192.168.188.200'
const tell = (line: string): void => console.log(`      ${line}`)

describe(`nodes that come and go, on virtual Pis and under load (seed ${seed})`, function () {
  this.timeout(60 * 60_000)
  inOrder(this)
  let project: string

  before('set up the cluster', async () => {
    await labDown()
    await labUp({ count: names.length }, tell)
    project = mkdtempSync(join(tmpdir(), 'bramble-nodes-'))
    copyShipped(project)
    cpSync(join(root, 'inventory/lab'), join(project, 'inventory'), { recursive: true })
    // As on a user's own cluster: the project records the keys that it meets.
    const settings = join(project, 'inventory/group_vars/all.yml')
    writeFileSync(settings, readFileSync(settings, 'utf8').replace(/^known_hosts:.*\n/m, ''))
    await bramble(0, 'apply')
    await whole()
  })

  after('leave nothing behind', async () => {
    await labDown()
    rmSync(project, { recursive: true, force: true })
  })

  it('add: a bare machine becomes a web server, and the others are written to only where they must be', async () => {
    await labUp({ count: names.length + 1, fresh: ['rpi5'] }, tell)
    const before = await containers('nginx', 'keepalived')
    const words = ['node', 'add', 'rpi5', '--address', '192.168.188.15', '--groups', 'workers,webservers']
    await bramble(3, ...words, '--check')
    assertLearntOf('rpi5', await killedUnderLoad(12, ...words))
    assert.deepEqual(await containers('nginx', 'keepalived'), before)
    assert.match(await on('rpi5', 'docker ps'), /nginx/)
  })

  it('remove: a worker goes, and is given back as it was', async () => {
    await bramble(3, 'node', 'remove', 'rpi5', '--check')
    await killedUnderLoad(14, 'node', 'remove', 'rpi5', '--yes')
    assert.doesNotMatch(inventory(), /rpi5/)
    assert.equal(await on('rpi5', 'ls /etc/docker/daemon.json /srv/bramble/share/* 2>/dev/null || :'), '')
  })

  it('add: one more manager and load balancer', async () => {
    const groups = 'managers,loadbalancers,webservers'
    const words = ['node', 'add', 'rpi5', '--address', '192.168.188.15', '--groups', groups]
    await killedUnderLoad(12, ...words)
    assert.equal((await node('rpi5')).role, 'manager')
    assert.match(await on('rpi5', 'docker ps'), /haproxy[^]*keepalived|keepalived[^]*haproxy/)
  })

  it('remove: a manager and load balancer goes', async () => {
    await killedUnderLoad(14, 'node', 'remove', 'rpi5', '--yes')
    assert.doesNotMatch(inventory(), /rpi5/)
    await kill('rpi5')
  })

  it('replace: a reflashed machine gets the place of the one it was', async () => {
    await reflash('rpi2', tell)
    assert.match(await bramble(2, 'apply'), /its host key has changed/)
    await killedUnderLoad(20, 'node', 'replace', 'rpi2', '--yes')
    assert.equal((await node('rpi2')).role, 'manager')
    assert.deepEqual((await status()).vip.holders, ['rpi1'])
  })

  it('upgrade: every node reboots, one after another', async () => {
    for (const name of names) await on(name, 'touch /run/reboot-required')
    const before = await Promise.all(names.map((name) => on(name, 'cat /proc/sys/kernel/random/boot_id')))
    await killedUnderLoad(40, 'apply', 'playbooks/upgrade.ts')
    const after = await Promise.all(names.map((name) => on(name, 'cat /proc/sys/kernel/random/boot_id')))
    for (const [index, id] of before.entries()) assert.notEqual(after[index], id, names[index])
    assert.deepEqual((await status()).vip.holders, ['rpi1'])
  })

  it('remove --dead: a machine that is gone is taken off every list', async () => {
    await kill('rpi3')
    await eventually('the swarm to notice', 120, async () =>
      (await node('rpi3')).state === 'down' ? true : undefined,
    )
    await killedUnderLoad(10, 'node', 'remove', 'rpi3', '--dead', '--yes')
    assert.doesNotMatch(await on('rpi1', 'docker node ls'), /rpi3/)
  })

  it('reset: everything is taken away from all, the virtual IP too, and apply brings it back', async () => {
    const { last } = await interrupted(['reset', '--yes'], project, drawn(seed, 2, 20))
    assert.equal(last.code, 0, last.stderr)
    const left = `ip -4 -o address show to ${vip}; grep -h /srv/bramble /proc/mounts /etc/fstab
find / -xdev '(' -path /proc -o -path /sys -o -path /srv/bramble ')' -prune -o -name '*bramble*' -print
ls /etc/docker/daemon.json 2>/dev/null || :`
    for (const name of ['rpi1', 'rpi2', 'rpi4']) {
      assert.equal(await on(name, left), '', name)
      assert.equal(await on(name, 'docker ps -q; docker info -f {{.Swarm.LocalNodeState}}'), 'inactive\n')
    }
    await bramble(0, 'apply')
    await whole()
  })

  /** Two of the first steps are begun by a program that dies; in the end the cluster is whole. */
  async function killedUnderLoad(among: number, ...command: string[]): Promise<Event[]> {
    const chosen = drawn(seed, 2, among)
    const events = await underLoad(command, {
      url: `http://${vip}/`,
      folder: project,
      chosen,
      via: inNamespace([]),
    })
    await whole()
    return events
  }

  /** What it printed, as JSON. */
  async function bramble(code: number, ...words: string[]): Promise<string> {
    const ran = await watched([...words, '-o', 'json'], project)
    const printed = `${ran.events.map((event: Event) => JSON.stringify(event)).join('\n')}\n${ran.stderr}`
    assert.equal(ran.code, code, printed)
    return printed
  }

  async function status(): Promise<ClusterStatus> {
    const { events } = await watched(['status', '-o', 'json'], project)
    return events[0] as unknown as ClusterStatus
  }

  async function node(name: string): Promise<ClusterStatus['nodes'][number]> {
    const found = (await status()).nodes.find((one) => one.name === name)
    assert.ok(found, `no node ${name}`)
    return found
  }

  function whole(): Promise<true> {
    return eventually<true>('the cluster to be whole', 300, async () => {
      const { problems } = await status()
      if (problems.length > 0) throw new Error(JSON.stringify(problems))
      return true
    })
  }

  function inventory(): string {
    return readFileSync(join(project, 'inventory/hosts.yml'), 'utf8')
  }
})

function on(name: string, script: string): Promise<string> {
  return run(labSsh(name, ['sudo', 'sh', '-c', quote(script)]))
}

/** Of these services, on the nodes that were there from the start. */
async function containers(...services: string[]): Promise<string[]> {
  const lists = await Promise.all(names.map((name) => on(name, `docker ps --format '{{.Names}}' | sort`)))
  return lists.flatMap((list) =>
    list.split('\n').filter((name) => services.some((service) => name.includes(`_${service}.`))),
  )
}
