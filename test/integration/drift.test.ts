import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Event } from '../../src/engine/events.ts'
import { onHost, only, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { generator, rounds, seed } from '../random.ts'
import { beyondLogins, changedSince, snapshot } from '../snapshot.ts'
import { watched } from '../watched.ts'
import { drifts, type Drift } from './drifts.ts'
import { makeProject, variablesOf, type Project } from './project.ts'
import { inOrder } from '../in-order.ts'

type TaskEvent = Extract<Event, { type: 'task' }>

interface Ran {
  code: number | null
  changed: string[]
  tasks: TaskEvent[]
  summary: Extract<Event, { type: 'summary' }>
}

const random = generator(seed)

/** What was there before, that the playbook starts and stops. */
const prepare = `printf '[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' >/lib/systemd/system/ivy.service
printf '[Timer]\\nOnCalendar=yearly\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/moss.timer
printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/moss.service
systemctl daemon-reload`

const isDropIn = ({ script }: Drift): boolean => script.includes('weed.conf')

/** All that a run could leave, of units those that the playbook has to do with. */
const everything = `{ ${snapshot()}; systemctl show -p Id,ActiveState,UnitFileState,InvocationID thorn ivy moss.timer ssh cron; }`

describe(`drift on a real host, seed ${seed}`, function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  inOrder(this)
  let lab: LightHosts
  let host: LightHost
  let project: Project

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1'] })
    host = only(lab)
    project = makeProject({ rpi1: variablesOf(host) })
    await on(prepare)
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  it('check names from the start what apply changes, and writes nothing', async () => {
    await on(`${everything} >/dev/shm/before`)
    const check = await bramble('--check')
    assert.equal(check.code, 3)
    assert.equal(await since(), '')
    const apply = await bramble()
    assert.equal(apply.code, 0, reasons(apply))
    const unknown = check.tasks.filter(({ status }) => status === 'unknown').map(({ title }) => title)
    assert.deepEqual(
      apply.changed.filter((title) => !unknown.includes(title)),
      check.changed,
    )
  })

  it('a converged rerun writes nothing on the host, and says so', async () => {
    await on(
      `${everything} >/dev/shm/before; journalctl -q --show-cursor -n 0 | sed 's/.*: //' >/dev/shm/cursor`,
    )
    const again = await bramble()
    assert.deepEqual([again.code, again.changed, again.summary.wrote], [0, [], false])
    assert.equal(await since(), '')
    // What systemd did since: nothing but to let somebody in.
    const jobs = await on(`journalctl -q --after-cursor "$(cat /dev/shm/cursor)" -o cat _PID=1`)
    assert.deepEqual(beyondLogins(jobs), [])
  })

  it('a converged rerun writes nothing with a password for sudo, either', async () => {
    await on(`echo pi:swordfish | chpasswd; sed -i 's/NOPASSWD: //' /etc/sudoers.d/010_pi-nopasswd`)
    process.env['BRAMBLE_BECOME_PASSWORD'] = 'swordfish'
    try {
      // sudo notes once and for all that it has lectured the user.
      await bramble()
      await on(`${everything} >/dev/shm/before`)
      assert.equal((await bramble()).summary.wrote, false)
      assert.equal(await since(), '')
    } finally {
      delete process.env['BRAMBLE_BECOME_PASSWORD']
      await on(`sed -i 's/) ALL/) NOPASSWD: ALL/' /etc/sudoers.d/010_pi-nopasswd`)
    }
  })

  for (let round = 1; round <= rounds(6); round += 1) {
    // What systemd has not read again is no drift any more once another one has made it do so.
    const chosen = choose().toSorted((one, other) => Number(isDropIn(one)) - Number(isDropIn(other)))
    const script = chosen.map((one) => one.script).join('\n')
    it(`round ${round}: ${script.replaceAll('\n', ' ; ')}`, async () => {
      await on(`(\n${script}\n) </dev/null\n${everything} >/dev/shm/before`)
      const check = await bramble('--check')
      assert.equal(check.code, 3)
      assert.equal(await since(), '', 'check wrote')
      // One that rests on another cannot be foretold: it says so.
      const foretold = check.tasks.filter(({ status }) => status === 'changed' || status === 'unknown')
      assert.deepEqual(
        foretold.map(({ title }) => title).toSorted(),
        chosen.flatMap(({ hits }) => hits).toSorted(),
      )
      for (const { hits, shows } of chosen) {
        const diff = check.tasks.find(({ title }) => title === hits[0])?.diff ?? ''
        assert.notEqual(diff, '')
        if (shows === undefined) continue
        assert.match(diff, /^--- .*\n\+\+\+ .*\n@@ /m)
        assert(
          diff.split('\n').some((line) => line.startsWith(shows)),
          `${shows}\nis not in\n${diff}`,
        )
      }
      const apply = await bramble()
      assert.equal(apply.code, 0, reasons(apply))
      const unknown = foretold.filter(({ status }) => status === 'unknown').map(({ title }) => title)
      assert.deepEqual(
        apply.changed.filter((title) => !unknown.includes(title)),
        check.changed,
      )
      assert.equal(apply.summary.wrote, true)
      assert.notEqual(await since(), '', 'the snapshot saw nothing of it')
      const third = await bramble('--check')
      assert.deepEqual([third.code, third.tasks.filter(({ status }) => status !== 'ok')], [0, []])
    })
  }

  /** The real program, as a user starts it. */
  async function bramble(...more: string[]): Promise<Ran> {
    const words = ['apply', join(import.meta.dirname, 'drift-playbook.ts'), '-o', 'json', ...more]
    const { code, events, stderr } = await watched(words, project.directory)
    const tasks = events.filter((event) => event.type === 'task')
    const summary = events.at(-1)
    assert(summary?.type === 'summary', stderr)
    const changed = tasks.filter(({ status }) => status === 'changed').map(({ title }) => title)
    return { code, changed, tasks, summary }
  }

  /** What has changed on the host since the snapshot was taken. */
  function since(): Promise<string> {
    return on(changedSince(everything))
  }

  async function on(script: string): Promise<string> {
    const { code, stdout, stderr } = await onHost(host, `${script}\n`)
    assert.equal(code, 0, `${script}\n${stderr}`)
    return stdout
  }
})

function reasons({ tasks }: Ran): string {
  return tasks.flatMap(({ reason }) => reason ?? []).join('\n')
}

/** One to five of what can be done, each to another thing. */
function choose(): Drift[] {
  const word = `weed-${Math.floor(random() * 1e6)}`
  const groups = [...drifts(word)]
  return Array.from({ length: 1 + Math.floor(random() * 5) }, () => {
    const [group = []] = groups.splice(Math.floor(random() * groups.length), 1)
    const drift = group[Math.floor(random() * group.length)]
    assert(drift)
    return drift
  })
}
