import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { TaskError } from '../../../src/errors.ts'
import { eventLine } from '../../../src/report/json.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import { resource } from '../../../src/playbook/resource.ts'
import { raw, sh, type Sh } from '../../../src/playbook/sh.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { directoryForEach, holds, over, runLocally } from './harness.ts'

/** A task that always wants its script run. */
function does(title: string, apply: Sh, probe: Sh = raw('echo never')): Resource {
  return resource({ title, probe, plan: () => ({ diff: '+ done', apply }) })
}

describe('a task that fails', () => {
  const directory = directoryForEach()

  it('is told with host, task, the place in the playbook, stderr and what to do next', async () => {
    const failing = does('prune', sh`echo the shears >&2; echo are blunt >&2; exit 7`)
    const { reasons, ok, hosts } = await runLocally([over([failing])])
    assert.match(
      reasons['rpi1'] ?? '',
      /^rpi1: prune: exited with code 7\n {2}at test\/unit\/engine\/failures\.test\.ts:\d+:\d+\n {2}stderr: {3}the shears\n {12}are blunt\n {2}next: +Mend/,
    )
    assert.deepEqual([ok, hosts['rpi1']?.failed, hosts['rpi1']?.unreachable], [false, 1, false])
  })

  it('is told once as a task and once as a host, with the command that reruns just that host', async () => {
    const { events } = await runLocally(
      [over(({ name }) => [name === 'rpi2' ? does('prune', raw('false')) : holds(directory.at(name), 'x')])],
      { hosts: ['rpi1', 'rpi2', 'rpi3'] },
    )
    const about = events.filter((event) => 'host' in event && event.host === 'rpi2')
    assert.equal(about.filter((event) => event.type === 'task' && event.status === 'failed').length, 1)
    assert.equal(about.filter((event) => event.type === 'failed').length, 1)
    const summary = events.at(-1)
    assert.equal(summary?.type === 'summary' && summary.retry, 'bramble apply test.ts --limit rpi2')
  })

  it('shows the last lines of a long stderr, and stdout where stderr is empty', async () => {
    const long = await runLocally([over([does('long', sh`seq 1 100 >&2; exit 1`)])])
    assert.match(long.reasons['rpi1'] ?? '', /stderr: {3}93\n[^]* 100\n/)
    const silent = await runLocally([over([does('silent', sh`echo only here; exit 1`)])])
    assert.match(silent.reasons['rpi1'] ?? '', /only here/)
  })

  it('stops at the first of its commands that fails', async () => {
    await runLocally([over([does('twice', sh`false\ntouch ${directory.at('never')}`)])])
    assert.equal(existsSync(directory.at('never')), false)
  })

  it('that did not converge shows what was found', async () => {
    const { reasons } = await runLocally([over([does('pretend', raw('true'))])])
    assert.match(
      reasons['rpi1'] ?? '',
      /^rpi1: pretend: did not converge\n.*\n {2}expected: nothing left[^]*found: {4}\+ done/,
    )
  })

  it('that did not converge leaves what it printed to the journal', async () => {
    const { tasks } = await runLocally([
      over([does('pretend', raw('echo all is done; echo so it seems >&2'))]),
    ])
    assert.equal(tasks[0]?.output, 'all is done\nso it seems\n')
  })

  it('is given its time to settle, and told how long that was', async function () {
    const path = directory.at('late')
    const late = (settle: number) =>
      resource({
        title: 'late',
        settle,
        probe: sh`if [ -e ${path} ]; then echo there; else touch ${path}; fi`,
        plan: ({ stdout }) => (stdout === '' ? { diff: '- absent', apply: sh`rm -f ${path}` } : undefined),
      })
    const settled = await runLocally([over([late(10)])])
    assert.deepEqual(settled.titles('changed'), ['late'])
    const never = resource({
      title: 'never',
      settle: 1,
      probe: raw(':'),
      plan: () => ({ diff: 'x', apply: raw(':') }),
    })
    const { reasons } = await runLocally([over([never])])
    assert.match(reasons['rpi1'] ?? '', /did not converge within 1 s/)
  })

  it('in its plan names its task and place', async () => {
    const tasks = [
      resource({
        title: 'ask',
        probe: raw('echo 3'),
        plan: () => {
          throw new TaskError('it is not right', { found: '3' })
        },
      }),
      holds(directory.at('after'), 'x'),
    ]
    const { reasons } = await runLocally([over(tasks)])
    assert.match(reasons['rpi1'] ?? '', /^rpi1: ask: it is not right\n {2}at test\/unit\/.*\n {2}found: +3$/)
    assert.deepEqual(readdirSync(directory.path), [])
  })

  it('takes its host out of the run while the others go on', async () => {
    const plays = [
      over(({ name }) => [name === 'rpi2' ? does('prune', raw('false')) : holds(directory.at(name), '1')]),
      over(({ name }, { alive }) => [
        holds(directory.at(`${name}-later`), alive.map((host) => host.name).join('+')),
      ]),
    ]
    const { titles, hosts } = await runLocally(plays, { hosts: ['rpi1', 'rpi2', 'rpi3'] })
    assert.deepEqual(readdirSync(directory.path).toSorted(), ['rpi1', 'rpi1-later', 'rpi3', 'rpi3-later'])
    assert.equal(directory.read('rpi1-later'), 'rpi1+rpi3')
    assert.deepEqual(titles('failed'), ['rpi2 prune'])
    assert.deepEqual([hosts['rpi1']?.failed, hosts['rpi2']?.changed], [0, 0])
  })

  it('does not blame the task before for a later play that throws', async () => {
    let plays = 0
    const moody = over(() => {
      plays += 1
      if (plays > 1) throw new Error('not in the mood')
      return []
    })
    const { reasons, titles } = await runLocally([over([holds(directory.at('file'), 'x')]), moody])
    assert.deepEqual(titles('changed'), ['file holds x'])
    assert.match(reasons['rpi1'] ?? '', /^rpi1: not in the mood\n {2}at test\/unit\/engine\/failures/)
  })

  it('says nothing secret, neither in what it printed nor in why it failed', async () => {
    const secret = new Secret('brambleberry-jam-42')
    const path = directory.at('secret')
    const tasks = [
      resource({
        title: `log in with ${secret.toString()}`,
        probe: sh`cat ${path} 2>/dev/null`,
        plan: ({ stdout }) =>
          stdout === secret.reveal()
            ? undefined
            : { diff: `+ ${secret.reveal()}`, apply: sh`printf %s ${secret} >${path}; echo ${secret}` },
      }),
      does('fail', sh`echo denied for ${secret} >&2; exit 1`),
    ]
    const { events } = await runLocally([over(tasks)])
    assert.equal(directory.read('secret'), secret.reveal())
    const printed = events.map(eventLine).join('\n')
    assert.doesNotMatch(printed, /brambleberry/)
    assert.match(printed, /"diff":"\+ \*\*\*"[^]*"output":"\*\*\*\\n"[^]*denied for \*\*\*/)
  })
})

describe('a lost connection', () => {
  const directory = directoryForEach()
  /** Ends the shell the first `count` times. */
  const dying = (count: number): Sh => {
    const path = directory.at('deaths')
    return sh`echo x >>${path}; if [ "$(wc -l <${path})" -le ${count} ]; then kill -9 $$; fi`
  }

  it('during a probe is opened once more', async () => {
    const task = resource({ title: 'look', probe: dying(1), plan: () => undefined })
    const { ok, connected, titles } = await runLocally([over([task])])
    assert.deepEqual([ok, connected, titles('ok')], [true, ['rpi1', 'rpi1'], ['look']])
  })

  it('during a probe is not opened for ever', async () => {
    const task = resource({ title: 'look', probe: dying(9), plan: () => undefined })
    const { ok, connected, reasons } = await runLocally([over([task])])
    assert.deepEqual([ok, connected], [false, ['rpi1', 'rpi1']])
    assert.match(reasons['rpi1'] ?? '', /^rpi1: look: the connection was lost/)
  })

  it('during a change is not retried, and the change not told as made', async () => {
    const tasks = [does('change', dying(1)), holds(directory.at('x'), 'x')]
    const { connected, reasons, titles, hosts } = await runLocally([over(tasks)])
    assert.deepEqual([connected, titles('changed'), titles('failed')], [['rpi1'], [], ['change']])
    assert.match(reasons['rpi1'] ?? '', /^rpi1: change: the connection was lost\n {2}at test/)
    assert.deepEqual([directory.read('deaths'), existsSync(directory.at('x'))], ['x\n', false])
    assert.deepEqual([hosts['rpi1']?.unreachable, hosts['rpi1']?.failed], [false, 1])
  })

  it('that never was is unreachable, and tried once', async () => {
    writeFileSync(directory.at('rpi2'), 'x')
    const { connected, hosts, ok, titles, reasons } = await runLocally(
      [over(({ name }) => [holds(directory.at(name), 'x')])],
      { hosts: ['rpi1', 'rpi2'], unreachable: ['rpi1'] },
    )
    assert.deepEqual([ok, connected, titles('ok')], [false, ['rpi1', 'rpi2'], ['rpi2 rpi2 holds x']])
    assert.deepEqual([hosts['rpi1']?.unreachable, hosts['rpi1']?.failed, hosts['rpi1']?.trips], [true, 0, 0])
    assert.match(reasons['rpi1'] ?? '', /cannot be reached/)
  })
})
