import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { until } from '../../src/lab/wait.ts'
import { judge, type Holder } from '../../src/engine/lock.ts'
import { file } from '../../src/modules/index.ts'
import { resource, type Resource } from '../../src/playbook/resource.ts'
import { sh } from '../../src/playbook/sh.ts'
import { ensureShell, shells } from '../unit/properties/settings.ts'
import { directoryForEach, holds, over, runLocally, type LocalOptions } from '../unit/engine/harness.ts'
import { LocalSession, type LocalShell } from '../unit/engine/local-session.ts'

for (const shell of shells) {
  describe(`the lock of a host, with ${shell}`, function () {
    this.timeout(60_000)
    before(() => ensureShell(shell))
    const directory = directoryForEach()
    const lock = () => directory.at('lock')
    const goes = () => sh`until [ -e ${directory.at('go')} ]; do sleep 0.05; done`
    const go = () => writeFileSync(directory.at('go'), '')

    /** A run on the one host that all of them share. */
    const run = (tasks: readonly Resource[], more: LocalOptions & Pick<LocalShell, 'inside'> = {}) => {
      const { inside = [], ...options } = more
      mkdirSync(lock(), { recursive: true })
      const connect = () => Promise.resolve(new LocalSession({ shell, lock: lock(), inside }))
      return runLocally([over(tasks)], { connect, ...options })
    }

    /** A change that goes on until it may end. */
    const slow = (): Resource =>
      resource({
        title: 'slow',
        probe: sh`cat ${directory.at('slow')} 2>/dev/null || :`,
        plan: ({ stdout }) =>
          stdout === 'done'
            ? undefined
            : {
                diff: '',
                apply: sh`: >${directory.at('begun')}; ${goes()}; printf done >${directory.at('slow')}`,
              },
      })
    const begun = () => until('the other run to begin', 10_000, () => existsSync(directory.at('begun')))

    it('is taken by a run that changes something only', async () => {
      writeFileSync(directory.at('a'), 'x')
      await run([holds(directory.at('a'), 'x')])
      await run([holds(directory.at('b'), 'x')], { check: true })
      assert.deepEqual(readdirSync(lock()), [])
      await run([holds(directory.at('b'), 'x')])
      assert.deepEqual(readdirSync(lock()).toSorted(), ['lease', 'lock'])
    })

    it('is free for the next run as soon as one has ended, and costs no trip', async () => {
      const first = await run([holds(directory.at('a'), '1')])
      // Of two runs within one hundredth of a second nobody can tell which was first: the second looks once more.
      const ended = uptime()
      await until('the next hundredth of a second', 1000, () => uptime() !== ended)
      const second = await run([holds(directory.at('a'), '2')])
      assert.deepEqual([second.reasons, directory.read('a')], [{}, '2'])
      assert.deepEqual([first.hosts['rpi1']?.trips, second.hosts['rpi1']?.trips], [2, 2])
    })

    it('keeps a second run out, which says who is at work, from where, since when, and what to do', async () => {
      const first = run([slow()])
      await begun()
      const second = await run([holds(directory.at('b'), 'x')])
      assert.match(
        second.reasons['rpi1'] ?? '',
        /^rpi1: b holds x: another run is at work on this host\n.*\n {2}found: {4}\S+@\S+ \(process \d+\), since 20\d\d-\d\d-\d\dT[\d:.]+Z, heard from \d+ s ago\n {2}next: +Wait[^]*--force-unlock/,
      )
      assert.ok(!existsSync(directory.at('b')))
      go()
      assert.deepEqual((await first).titles('changed'), ['slow'])
    })

    it('does not keep out a run that finds nothing to change, or only looks', async () => {
      writeFileSync(directory.at('a'), 'x')
      const first = run([slow()])
      await begun()
      const second = await run([holds(directory.at('a'), 'x')])
      const third = await run([holds(directory.at('b'), 'x')], { check: true })
      assert.deepEqual([second.titles('ok'), third.titles('changed')], [['a holds x'], ['b holds x']])
      go()
      await first
    })

    it('does not keep a run from a machine that it knows by two names', async () => {
      // Both make the same, at the same time: a file that one of them has just begun would be found empty by the other.
      const { reasons } = await run(
        ['a', 'b', 'c'].map((name) =>
          resource({
            title: name,
            probe: sh`[ ! -d ${directory.at(name)} ] || echo there`,
            plan: ({ stdout }) =>
              stdout === '' ? { diff: '', apply: sh`mkdir -p ${directory.at(name)}` } : undefined,
          }),
        ),
        { hosts: ['rpi1', 'rpi2'] },
      )
      assert.deepEqual(reasons, {})
    })

    it('is waited for while a run whose connection has gone ends its last step', async () => {
      // Something between the shell and this process, as sshd is, which goes.
      const inside = ['sh', '-c', 'echo $$ >"$0"; "$@"; :', directory.at('pid')]
      const first = run([slow()], { inside })
      await begun()
      process.kill(Number(readFileSync(directory.at('pid'), 'utf8')), 'SIGKILL')
      const waiting: string[] = []
      const second = await run([slow(), holds(directory.at('b'), 'x')], {
        onEvent: (event) => {
          if (event.type === 'doing' && event.what.startsWith('waiting')) waiting.push(event.what)
          // Longer than anybody is waited for who has not lost the connection.
          if (waiting.length === 8) go()
        },
      })
      assert.match(waiting[0] ?? '', /^waiting for what is left of the run of \S+@\S+/)
      assert.deepEqual([second.titles('ok'), second.titles('changed')], [['slow'], ['b holds x']])
      await first
    })

    it('is taken from a run that has not been heard from for too long, and what that did is ended', async () => {
      const first = run([slow()])
      await begun()
      writeFileSync(`${lock()}/lease`, '0 0\n')
      const second = await run([holds(directory.at('b'), 'x')])
      assert.deepEqual([second.reasons, second.titles('changed')], [{}, ['b holds x']])
      const { reasons } = await first
      assert.match(reasons['rpi1'] ?? '', /slow: the connection was lost/)
      go()
      assert.ok(!existsSync(directory.at('slow')))
    })

    it('is kept while a run that has changed something looks at what takes long', async () => {
      writeFileSync(directory.at('b'), 'x')
      const looks = resource({
        title: 'looks',
        probe: sh`[ ! -e ${directory.at('a')} ] || { : >${directory.at('begun')}; ${goes()}; }`,
        plan: () => undefined,
      })
      const first = run([holds(directory.at('a'), 'x'), holds(directory.at('b'), 'x'), looks])
      await begun()
      const [at = 0, until = 0] = directory.read('lock/lease').trim().split(' ').map(Number)
      go()
      assert.deepEqual((await first).reasons, {})
      assert.ok(until - at > 120 * 100, `a lease of ${(until - at) / 100} s for a look that may take 120 s`)
    })

    it('is kept while a run sends a large file, for as long as it gives signs of life', async () => {
      const lease = () => directory.read('lock/lease').trim().split(' ').map(Number)
      const large = file({
        path: directory.at('large'),
        content: 'x'.repeat(100_000),
        validate: () => sh`: >${directory.at('begun')}; ${goes()}`,
      })
      const first = run([large])
      await begun()
      const [before = 0] = lease()
      await until('a sign of life', 20_000, () => (lease()[0] ?? 0) > before)
      const [at = 0, end = 0] = lease()
      go()
      assert.deepEqual((await first).reasons, {})
      assert.equal(end - at, 60 * 100)
    })

    it('is taken from anybody with --force-unlock', async () => {
      const first = run([slow()])
      await begun()
      const second = await run([holds(directory.at('b'), 'x')], { forceUnlock: true })
      assert.deepEqual(second.titles('changed'), ['b holds x'])
      assert.match((await first).reasons['rpi1'] ?? '', /the connection was lost/)
    })

    it('lets nobody act on what was seen before another run changed it', async () => {
      const path = directory.at('shared')
      /** Adds a line, by writing what was seen and the line. */
      const adds = (line: string, pause = sh`:`): Resource =>
        resource({
          title: `adds ${line}`,
          probe: sh`cat ${path} 2>/dev/null; : >${directory.at(`looked-${line}`)}; ${pause}`,
          plan: ({ stdout }) =>
            stdout.includes(line)
              ? undefined
              : { diff: line, apply: sh`printf %s ${`${stdout}${line}\n`} >${path}` },
        })
      const first = run([adds('one', goes())])
      await until('the look', 10_000, () => existsSync(directory.at('looked-one')))
      assert.deepEqual((await run([adds('two')])).titles('changed'), ['adds two'])
      go()
      assert.deepEqual((await first).titles('changed'), ['adds one'])
      assert.equal(directory.read('shared'), 'two\none\n')
    })

    it('is not held by what a change leaves running', async () => {
      const daemon = resource({
        title: 'daemon',
        probe: sh`cat ${directory.at('pid')} 2>/dev/null || :`,
        plan: ({ stdout }) =>
          stdout
            ? undefined
            : { diff: '', apply: sh`sleep 60 >/dev/null 2>&1 & echo $! >${directory.at('pid')}` },
      })
      await run([daemon])
      const next = await run([holds(directory.at('b'), 'x')])
      process.kill(Number(directory.read('pid')), 'SIGKILL')
      assert.deepEqual(next.reasons, {})
    })
  })
}

describe('who holds a lock', () => {
  const holder: Holder = { pid: 1, owner: 'ivy@laptop', since: '', orphaned: false, quiet: 3, left: 17 }
  const cases: [what: string, holder: Holder | undefined, waited: number, verdict: string][] = [
    ['and has been heard from meanwhile is left alone', holder, 5, 'give up'],
    ['and is in a long step is left alone', { ...holder, quiet: 600, left: 420 }, 5, 'give up'],
    ['may be about to let go', holder, 1, 'wait'],
    ['and has not been heard from meanwhile may be gone', { ...holder, quiet: 6, left: 14 }, 5, 'wait'],
    ['and sends an input may be gone, too', { ...holder, quiet: 7, left: 53 }, 5, 'wait'],
    ['and goes on sending an input is left alone', { ...holder, quiet: 1, left: 59 }, 5, 'give up'],
    ['and was silent for too long is gone', { ...holder, quiet: 21, left: -1 }, 0, 'end'],
    ['and has lost the connection may end its step', { ...holder, orphaned: true, left: 420 }, 600, 'wait'],
    ['and has lost the connection may not end it ever', { ...holder, orphaned: true, left: -1 }, 5, 'end'],
    ['and does not say who it is will soon', undefined, 1, 'wait'],
    ['and never says who it is cannot be ended', undefined, 5, 'give up'],
  ]
  for (const [what, held, waited, verdict] of cases) {
    it(what, () => assert.equal(judge(held, waited, false), verdict))
  }
})

function uptime(): string {
  return readFileSync('/proc/uptime', 'utf8')
}
