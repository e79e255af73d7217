import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '../../src/engine/events.ts'
import { until } from '../../src/lab/wait.ts'
import { onHost, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { startProxy, type Proxy } from '../proxy.ts'
import { generator, rounds, seed } from '../random.ts'
import { ended, watched, type Watched } from '../watched.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'

const count = rounds(4)

/** What happens in the middle of a run. */
const disasters = [
  'the program is killed',
  'the connection is cut',
  'the connection falls silent',
  'the host loses power',
] as const

/** Each round wants another version of everything, so that each is a first run. */
const playbookOf = (version: number) => `
import { apt, block, command, cron, directory, file, line, link, mount, play, playbook, service, sh, sysctl, user } from 'bramble'
const version = ${version}
const restart = { title: 'restart thorn', apply: sh\`systemctl restart thorn\` }
const count = { title: 'count', apply: sh\`echo \${version} >/srv/crash/counted\` }
const unit = \`[Service]
ExecStart=/bin/sh -c 'cat /srv/crash/thorn.conf >/run/thorn; exec sleep infinity'
[Install]
WantedBy=multi-user.target
\`
const large = Array.from({ length: 9000 }, (_, index) => \`version \${version} line \${index}\\n\`).join('')
const first = play({
  name: 'first',
  hosts: 'all',
  *tasks() {
    yield directory({ path: '/srv/crash' })
    yield file({ path: '/srv/crash/thorn.conf', content: \`version \${version}\\n\`, notify: restart })
    yield file({ path: '/etc/systemd/system/thorn.service', content: unit })
    yield service({ name: 'thorn', enabled: true, state: 'started' })
    yield apt({ packages: [version % 2 ? 'hello' : 'tree'] })
    yield apt({ packages: [version % 2 ? 'tree' : 'hello'], state: 'absent', purge: true })
    yield file({ path: '/srv/crash/large', content: large, mode: '0640', notify: count })
    for (const index of [1, 2, 3]) {
      yield file({ path: \`/srv/crash/small\${index}\`, content: \`\${large.slice(0, 5000)}\` })
    }
    yield command({ title: 'slow', run: sh\`sleep 0.5; echo \${version} >/srv/crash/.slow; mv /srv/crash/.slow /srv/crash/slow\`, unless: sh\`grep -qx \${version} /srv/crash/slow\` })
  },
})
const second = play({
  name: 'second',
  hosts: 'all',
  *tasks() {
    yield link({ path: '/srv/crash/link', target: \`version\${version}\` })
    yield line({ path: '/srv/crash/lines', line: \`version=\${version}\`, match: /^version=/, create: true, notify: count })
    yield block({ path: '/srv/crash/lines', block: \`version \${version}\\nof the block\` })
    yield user({ name: 'rose', uid: 4001, shell: version % 2 ? '/bin/sh' : '/bin/bash' })
    yield cron({ name: 'crash', schedule: '@daily', user: 'rose', command: sh\`echo \${version}\` })
    yield sysctl({ settings: { 'net.ipv4.ip_default_ttl': 60 + (version % 60) } })
    yield mount({ path: '/mnt/crash', source: 'tmpfs', type: 'tmpfs', options: \`size=\${64 * version}k\` })
  },
})
export default playbook({ name: 'crash', plays: [first, second] })
`

/** All that the playbook is about, as text. */
const snapshot = `cd /srv/crash
find . ! -name seen -printf '%p %y %m %u %g %s %l\\n' | sort
find . -type f ! -name seen -exec sha256sum {} + | sort
cat /etc/systemd/system/thorn.service
cat /etc/cron.d/crash /etc/fstab
getent passwd rose
sysctl net.ipv4.ip_default_ttl
grep /mnt/crash /proc/self/mounts
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\n'
dpkg --audit
systemctl is-enabled thorn
systemctl is-active thorn
echo "the daemon runs with $(cat /run/thorn)"
echo "pending: $(ls -A /var/lib/bramble/pending)"
`

/** Reads, all the time, files that are being written, and notes what it sees. */
const reader = `systemctl stop reader 2>/dev/null
mkdir -p /srv/crash
systemd-run --quiet --unit=reader sh -c 'cd /srv/crash
while :; do sha256sum large small1 small2 thorn.conf 2>/dev/null >>/var/seen; sleep 0.03; done'`

describe(`a run that ends in the middle (seed ${seed}, ${count} rounds)`, function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  const next = generator(seed)
  const known = new Set<string>()
  let lab: LightHosts
  let host: LightHost
  let other: LightHost
  let proxy: Proxy
  let project: Project
  let version = 0
  /** Events of a run that is left alone. */
  let usual = 0

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1', 'rpi2'] })
    const [first, second] = lab.hosts
    assert.ok(first && second)
    host = first
    other = second
    proxy = await startProxy(['nsenter', `--net=${lab.namespace}`, 'socat', '-', `TCP:${host.address}:22`])
    const { ansible_user, ansible_ssh_private_key_file } = variablesOf(host)
    project = makeProject({
      rpi1: {
        ansible_host: '127.0.0.1',
        ansible_port: proxy.port,
        ansible_timeout: 60,
        address: host.address,
        ansible_user,
        ansible_ssh_private_key_file,
      },
      rpi2: { ...variablesOf(other), ansible_timeout: 60 },
    })
    mkdirSync(join(project.directory, 'playbooks'))
    wantNext()
    const { code, events, stderr } = await apply([])
    assert.equal(code, 0, stderr)
    usual = events.filter(isOfRpi1).length
  })

  after(async () => {
    await proxy?.stop()
    project?.remove()
    await lab?.stop()
  })

  function wantNext(): void {
    version += 1
    writeFileSync(join(project.directory, 'playbooks/crash.ts'), playbookOf(version))
    const large = Array.from({ length: 9000 }, (_, index) => `version ${version} line ${index}\n`).join('')
    for (const content of [large, large.slice(0, 5000), `version ${version}\n`]) {
      known.add(createHash('sha256').update(content).digest('hex'))
    }
  }

  function apply(words: string[], onEvent?: (event: Event, child: ChildProcess) => void): Promise<Watched> {
    const command = ['apply', 'playbooks/crash.ts', '-o', 'json', ...words]
    return watched(command, project.directory, onEvent)
  }

  /** Runs until an event that is drawn by lot, and lets the disaster happen then; again, where that was too late. */
  async function interrupt(disaster: (child: ChildProcess) => Promise<void> | void): Promise<Watched> {
    for (let tries = 1; tries <= 10; tries += 1) {
      const last = 1 + Math.floor(next() * (usual - 1))
      // Soon after that event, as most steps are short, or later: dpkg and the handlers take their time.
      const pause = next() * (next() < 0.5 ? 150 : 2500)
      let seen = 0
      let done: Promise<void> | undefined
      const ran = await apply(['-l', 'rpi1'], (event, child) => {
        if (isOfRpi1(event)) seen += 1
        if (seen === last) done ??= delay(pause).then(() => disaster(child))
      })
      await done
      if (ran.code !== 0) return ran
      proxy.heal()
      wantNext()
    }
    throw new Error('ten runs had ended before')
  }

  const happen: Record<(typeof disasters)[number], () => Promise<unknown>> = {
    'the program is killed': () => interrupt((child) => void child.kill('SIGKILL')),
    'the connection is cut': () => interrupt(() => proxy.cut()),
    'the connection falls silent': async () => {
      // Either the program gives up by itself, or it is gone by then.
      const patient = next() < 0.5
      const { code, stderr } = await interrupt(async (child) => {
        proxy.hush()
        // Not at once: the host may be in a step that goes on.
        await ended(child, patient ? 180_000 : next() * 1000)
        child.kill('SIGKILL')
      })
      proxy.heal()
      if (patient) assert.notEqual(code, null, `a host that has fallen silent was not given up\n${stderr}`)
    },
    'the host loses power': async () => {
      let before = await bootId()
      await interrupt(async (child) => {
        // No shutdown: all processes of the machine end at once. ssh is not to wait for what it has ended.
        await onHost(host, 'setsid systemctl reboot -ff >/dev/null 2>&1 &')
        let now = ''
        await until('the machine to restart', 120_000, async () => {
          now = await bootId()
          return now !== '' && now !== before
        })
        // There may be another try.
        before = now
        child.kill('SIGKILL')
      })
    },
  }

  async function bootId(): Promise<string> {
    return (await onHost(host, 'cat /proc/sys/kernel/random/boot_id')).stdout
  }

  for (let round = 0; round < count; round += 1) {
    // Each kind in turn, from one that is drawn by lot.
    const kind = disasters[(round + seed) % disasters.length] as (typeof disasters)[number]
    it(`round ${round + 1}: after ${kind}, the next run ends as an undisturbed one does`, async () => {
      wantNext()
      await onHost(host, reader)
      await happen[kind]()
      // A power cut has ended it.
      await onHost(host, reader)
      let recovered = await apply([])
      if (kind === 'the connection falls silent') {
        // The host does not know, and may go on with the step that it is at.
        await until('the last step of the run before to end', 60_000, async () => {
          const atWork = failuresOf(recovered).includes('another run is at work on this host')
          if (atWork) recovered = await apply([])
          return !atWork
        })
      }
      assert.equal(recovered.code, 0, recovered.stderr + failuresOf(recovered))
      const [found, expected] = await Promise.all([onHost(host, snapshot), onHost(other, snapshot)])
      assert.equal(found.stdout, expected.stdout)
      assert.match(found.stdout, new RegExp(`active\nthe daemon runs with version ${version}\npending: \n$`))
      const again = await apply([])
      assert.deepEqual([again.code, changesOf(again)], [0, []])
      // One that was ended may have written half of its own line.
      const whole = String.raw`grep -xE '[0-9a-f]{64}  (large|small1|small2|thorn\.conf)' /var/seen`
      const { stdout } = await onHost(host, `systemctl stop reader; ${whole} | cut -c -64 | sort -u`)
      const sums = stdout.split('\n').filter((sum) => sum !== '')
      assert.deepEqual(
        sums.filter((sum) => !known.has(sum)),
        [],
        'half of a file was seen',
      )
      assert.ok(sums.length > 0, 'no file was read')
    })
  }
})

function isOfRpi1(event: Event): boolean {
  return 'host' in event && event.host === 'rpi1'
}

function failuresOf({ events }: Watched): string {
  return events.flatMap((event) => (event.type === 'failed' ? [event.reason] : [])).join('\n')
}

function changesOf({ events }: Watched): string[] {
  return events.flatMap((event) =>
    event.type === 'task' && event.status !== 'ok' ? [`${event.host}: ${event.title}: ${event.status}`] : [],
  )
}
