import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { cut, heal, kill, labDown, labStatus, labUp, start } from '../../src/lab/lab.ts'
import { readState } from '../../src/lab/state.ts'
import type { Event } from '../../src/engine/events.ts'
import { resultLines } from '../../src/drill/text.ts'
import { plain } from '../../src/report/text.ts'
import {
  apply,
  bramble,
  changes,
  doings,
  drills,
  eventually,
  on,
  page,
  waits,
  type Summary,
} from './cluster.ts'
import { disagreements } from './foretold.ts'
import { assertShort, BUSY, outage, startNews, stopNews } from './mirror.ts'
import { inOrder } from '../in-order.ts'

const nodes = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const minutes = 60_000

describe('four virtual Pis, one of them bare', function () {
  this.timeout(30 * minutes)
  inOrder(this)
  let fresh: Summary
  let foretold: Event[]

  before('boot', async () => {
    await labDown()
    await labUp({ count: 4, fresh: ['rpi3'] }, (line) => console.log(`      ${line}`))
  })

  after('leave nothing behind', () => labDown())

  it('names in check mode what has to be done, and does nothing', async () => {
    // A daemon that is still starting looks like one that has to be started.
    for (const node of nodes) await on(node, 'systemctl is-system-running --wait || :')
    const { code, events, summary } = await apply('--check')
    foretold = events
    assert.equal(code, 3)
    const wanted = changes(events)
    for (const node of nodes) assert(wanted[node]?.includes('template /etc/docker/daemon.json'), node)
    assert(wanted['rpi3']?.includes('packages ca-certificates curl docker.io'))
    assert.equal(summary.ok, true)
    assert.equal(await on('rpi3', 'command -v dockerd || echo none'), 'none\n')
  })

  it('become the whole stack by one apply, which changes what check said', async () => {
    const { code, events, summary, stdout, memory } = await apply()
    assert.equal(code, 0, stdout)
    assert.deepEqual(disagreements(foretold, events), [])
    for (const node of nodes) assert((summary.hosts[node]?.changed ?? 0) > 0, node)
    fresh = summary
    assert(memory < 150, `the program took ${memory} MB`)
  })

  it('were waited for, by and large: bramble adds at most a tenth to what the commands on the hosts take', () => {
    const hosts = Object.values(fresh.hosts)
    const remote = hosts.reduce((sum, host) => sum + host.remoteMs, 0)
    const busy = hosts.reduce((sum, host) => sum + host.ms, 0)
    console.log(`      ${(remote / 1000).toFixed(1)} s on the hosts, ${(busy / 1000).toFixed(1)} s in all`)
    assert(busy <= remote * 1.1)
  })

  it('serve the page through the virtual IP from all four web servers', async () => {
    const answered = new Set<string>()
    await eventually('an answer from every web server', 60, async () => {
      const { body, node } = await page()
      assert.match(body, /It works/)
      answered.add(node)
      return answered.size === nodes.length ? true : undefined
    })
    assert.deepEqual([...answered].toSorted(), nodes)
  })

  it('settle: every node is ready in the eyes of the managers', async () => {
    await eventually('four ready nodes', 120, async () => {
      const states = await on('rpi1', "docker node ls --format '{{.Status}} {{.ManagerStatus}}'")
      assert.deepEqual(states.trim().split('\n').toSorted(), [
        'Ready',
        'Ready Leader',
        'Ready Reachable',
        'Ready Reachable',
      ])
      return true
    })
  })

  it('change nothing on a second run, in one connection and at most two round trips a host', async () => {
    let again = await apply()
    // Where the computer is busy with other things a node may miss a heartbeat. That is waited for, which takes trips.
    for (let run = 2; run < 5 && waits(again.events).length > 0; run += 1) {
      console.log(`      not settled yet: ${waits(again.events).join(', ')}`)
      assert.deepEqual(changes(again.events), {})
      again = await apply()
    }
    const { code, events, summary, memory } = again
    assert.equal(code, 0)
    assert.deepEqual(changes(events), {})
    assert.equal(summary.wrote, false)
    for (const node of nodes) {
      const host = summary.hosts[node]
      assert(host && host.trips <= 2, `${node}: ${host?.trips} round trips: ${doings(events, node)}`)
      assert.equal(events.filter((event) => event.type === 'connected' && event.host === node).length, 1)
    }
    assert(memory < 150, `the program took ${memory} MB`)
  })

  it('have nothing to change in check mode', async () => {
    const { code, events } = await apply('--check')
    assert.deepEqual(changes(events), {})
    assert.equal(code, 0)
  })

  it('tell what kind of machines they are', async () => {
    const { code, stdout } = await bramble('facts', 'rpi1', '-i', 'inventory/lab', '-o', 'json')
    const facts = JSON.parse(stdout) as Record<string, Record<string, string>>
    assert.equal(code, 0)
    assert.equal(facts['rpi1']?.['hostname'], 'rpi1')
    assert.match(facts['rpi1']?.['addresses'] ?? '', /eth0 192\.168\.188\.11(,|$)/)
  })

  it('are reached by lab ssh and lab exec, which exit as what they have run', async () => {
    assert.equal((await bramble('lab', 'ssh', 'rpi1', '--', 'false')).code, 1)
    assert.equal((await bramble('lab', 'exec', '--', 'false')).code, 1)
  })

  it('run every service completely, and hold the virtual IP on rpi1 only', async () => {
    // On a busy computer a node may have missed a heartbeat just now: the swarm then wants fewer tasks for a while.
    await eventually('every service complete', 180, async () => {
      const services = await on('rpi1', "docker service ls --format '{{.Name}} {{.Replicas}}'")
      assert.deepEqual(services.trim().split('\n').toSorted(), [
        'ha-stack_haproxy 2/2',
        'ha-stack_keepalived 2/2',
        'ha-stack_nginx 4/4',
      ])
      return true
    })
    // Where rpi2's Keepalived was up first, rpi1 takes the address over after preempt_delay, 30 s.
    await eventually('the virtual IP on rpi1 only', 90, async () => {
      const holders = await Promise.all(nodes.map((node) => on(node, 'ip -4 -o address')))
      const names = nodes.filter((_, index) => holders[index]?.includes('192.168.188.200/'))
      assert.deepEqual(names, ['rpi1'])
      return true
    })
  })

  it('show new text in the share through the virtual IP at once, from every web server', async () => {
    // A file that is new, and the same one changed in place, which all have served by then.
    for (const text of ['new text', 'newer text']) {
      await on('rpi4', `echo '${text}' >/srv/nfs/share/news.html`)
      const answered = new Set<string>()
      const deadline = Date.now() + 60_000
      while (answered.size < nodes.length) {
        assert(Date.now() < deadline, `asked for a minute: ${[...answered].join(', ')}`)
        const { body, node, content } = await page('/news.html')
        // A machine that got no processor for two seconds serves its mirror, which does not have it yet.
        if (content === 'mirror') continue
        assert.equal(body, `${text}\n`, `from ${node}`)
        answered.add(node)
      }
    }
  })

  it('outlive the HAProxy that holds the virtual IP, as a drill shows', async () => {
    const { result, stderr } = await drills('haproxy-kill')
    const [drill] = result.drills
    assert.ok(drill, stderr)
    console.log(resultLines(drill, plain).join('\n'))
    assert.ok(drill.as_before, stderr)
    // As of an outage: see BUSY. `npm run test:drills` keeps the bound itself.
    assert.ok(drill.longest_gap_ms <= 2000 * BUSY)
  })

  it('serve their mirrors while the NFS server hangs, and the share again when it is back', async () => {
    await startNews()
    await assertShort(await outage(cut, heal, 12))
  })

  it('do the same when its power is cut', async () => {
    await assertShort(await outage(kill, (name) => start(name, () => undefined), 12))
    // As above: it returns once Docker has started.
    await on('rpi4', 'systemctl start docker')
    await stopNews()
  })

  it('find a file that was changed by hand, show it as a diff, and put it back on that host only', async () => {
    await on('rpi2', 'echo "# drift" >>/usr/local/sbin/bramble-content')
    const found = await bramble('apply', '-i', 'inventory/lab', '-o', 'lines', '--check', '--diff')
    assert.equal(found.code, 3)
    assert.match(found.stdout, /rpi2\s+would change\s+template \/usr\/local\/sbin\/bramble-content/)
    assert.match(found.stdout, /^\s+-# drift$/m)
    const mended = await apply()
    assert.equal(mended.code, 0, mended.stdout)
    assert.deepEqual(changes(mended.events), {
      rpi2: ['template /usr/local/sbin/bramble-content', 'handler: restart bramble-content'],
    })
    assert(!(await on('rpi2', 'cat /usr/local/sbin/bramble-content')).includes('drift'))
  })

  it('keep modules, exports and mounts over a reboot that is proven by the boot id', async () => {
    await on('rpi3', 'touch /run/reboot-required')
    const before = await on('rpi3', 'cat /proc/sys/kernel/random/boot_id')
    const { code, stdout } = await apply('test/e2e/reboot.ts')
    assert.equal(code, 0, stdout)
    assert.notEqual(await on('rpi3', 'cat /proc/sys/kernel/random/boot_id'), before)
    assert.match(await on('rpi3', 'cat /proc/mounts'), /\/srv\/bramble\/share nfs4/)
    assert.match(
      await on('rpi3', 'grep -c . /proc/modules; [ -d /sys/module/dummy ] && echo loaded'),
      /loaded/,
    )
    assert.match(await on('rpi4', 'exportfs -s'), /^\/srv\/nfs\/other {2}192\.168\.188\.13\(/m)
    const again = await apply('test/e2e/reboot.ts')
    assert.deepEqual(changes(again.events), {})
  })

  it('are gone after lab down: no process, no namespace, no mount', async () => {
    const { directory, machines } = await labStatus()
    const pids = [...machines.map(({ pid }) => pid), readState()?.uplink?.pid]
    assert(
      pids.length === nodes.length + 1 &&
        pids.every((pid) => pid !== undefined && existsSync(`/proc/${pid}`)),
    )
    const { code, stderr } = await bramble('lab', 'down')
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      pids.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    )
    assert.deepEqual(
      existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => /bramble/.test(name)) : [],
      [],
    )
    assert(!readFileSync('/proc/mounts', 'utf8').includes(directory))
  })
})
