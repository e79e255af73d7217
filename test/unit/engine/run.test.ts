import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import type { Event } from '../../../src/engine/events.ts'
import { playbook, type Play } from '../../../src/playbook/play.ts'
import { resource, type Handler, type Seen } from '../../../src/playbook/resource.ts'
import { printed } from '../../../src/modules/check.ts'
import { raw, sh } from '../../../src/playbook/sh.ts'
import { InputError, TaskError } from '../../../src/errors.ts'
import { directoryForEach, holds, over, runLocally } from './harness.ts'

const four = ['rpi1', 'rpi2', 'rpi3', 'rpi4']

const handler = (apply: string) => ({ notify: [{ title: 'restart', apply: raw(apply) }] })

describe('check mode', () => {
  const directory = directoryForEach()

  it('changes nothing, tells what apply then changes, and then nothing more', async () => {
    const note: Handler = { title: 'note it', apply: sh`echo noted >>${directory.at('noted')}` }
    const varLib = directory.at('lib')
    const plays = [
      over([holds(directory.at('a'), '1', { notify: note }), holds(directory.at('b'), '2')]),
      over([holds(directory.at('c'), '3', { notify: note })], { hosts: 'rpi1' }),
    ]
    writeFileSync(directory.at('b'), '2')
    const check = await runLocally(plays, { check: true, varLib })
    assert.deepEqual(readdirSync(directory.path).toSorted(), ['b', 'lib'])
    assert.deepEqual(readdirSync(directory.at('lib/rpi1')), [])
    assert.deepEqual([check.ok, check.changed, check.hosts['rpi1']?.trips], [true, true, 1])
    const applied = await runLocally(plays, { varLib })
    assert.deepEqual(applied.titles('changed'), check.titles('changed'))
    assert.deepEqual(applied.titles('ok'), check.titles('ok'))
    assert.equal(applied.titles('changed').filter((title) => title === 'handler: note it').length, 2)
    const third = await runLocally(plays, { check: true, varLib })
    assert.deepEqual([third.ok, third.changed, third.titles('changed')], [true, false, []])
  })

  it('shows the diff of each change', async () => {
    writeFileSync(directory.at('a'), 'old')
    const { tasks } = await runLocally([over([holds(directory.at('a'), 'new')])], { check: true })
    assert.equal(tasks[0]?.diff, '- old\n+ new')
    assert.equal(directory.read('a'), 'old')
  })

  it('tells of what would only be waited for, which is no change, nor when it is waited for', async () => {
    const file = directory.at('there')
    const wait = resource({
      title: 'wait',
      probe: sh`[ -e ${file} ]`,
      plan: ({ code }) =>
        code === 0 ? undefined : { diff: '- not there', apply: sh`: >${file}`, waits: true },
    })
    const check = await runLocally([over([wait])], { check: true })
    assert.equal(check.changed, false)
    assert.equal(check.tasks[0]?.status, 'unknown')
    assert.equal(check.tasks[0]?.reason, 'not so now; apply would wait for it:\n- not there')
    const applied = await runLocally([over([wait])])
    assert.deepEqual([applied.changed, applied.tasks[0]?.status], [false, 'ok'])
    assert.equal(applied.tasks[0]?.reason, 'waited for, as it was not so at once: - not there')
  })

  it('does what is due once what it waited for has come', async () => {
    const [leader, label] = [directory.at('leader'), directory.at('label')]
    const labelled = resource({
      title: 'label',
      probe: sh`cat ${leader} ${label} 2>/dev/null || :`,
      plan: ({ stdout }) => {
        if (stdout === '') return { diff: '- no leader', apply: sh`echo leader >${leader}`, waits: true }
        return stdout.includes('label') ? undefined : { diff: '+ label', apply: sh`echo label >${label}` }
      },
    })
    const { tasks } = await runLocally([over([labelled])])
    assert.deepEqual(
      tasks.map(({ status, diff }) => [status, diff]),
      [['changed', '+ label']],
    )
  })

  it('fails with the error of what was waited for in vain, and in check mode at once', async () => {
    const failure = new TaskError('no leader', { next: 'bring it back' })
    const hopeless = resource({
      title: 'wait',
      probe: sh`:`,
      plan: () => ({ diff: '- no leader', apply: sh`:`, waits: true, failure }),
    })
    for (const check of [true, false]) {
      const { ok, tasks } = await runLocally([over([hopeless])], { check })
      assert.equal(ok, false)
      assert.match(tasks[0]?.reason ?? '', /^rpi1: wait: no leader\n[^]*next: +bring it back$/)
    }
  })

  it('reports a play as unknown until the change that brings its fact', async () => {
    const plays = [
      over([holds(directory.at('token'), 'abc')], { hosts: 'rpi1', name: 'make' }),
      over((_, { facts }) => [holds(directory.at('used'), facts.get('rpi1', 'text'))], {
        hosts: 'rpi2',
        name: 'use',
      }),
    ]
    const check = await runLocally(plays, { hosts: ['rpi1', 'rpi2'], check: true })
    assert.equal(check.ok, true)
    const unknown = check.tasks.find(({ status }) => status === 'unknown')
    assert.deepEqual([unknown?.host, unknown?.title], ['rpi2', 'use'])
    assert.match(
      unknown?.reason ?? '',
      /^unknown until "rpi1: token holds abc" has been done: rpi1 has not told its text/,
    )
    assert.deepEqual(readdirSync(directory.path), [])
    await runLocally(plays, { hosts: ['rpi1', 'rpi2'] })
    assert.equal(directory.read('used'), 'abc')
    const after = await runLocally(plays, { hosts: ['rpi1', 'rpi2'], check: true })
    assert.deepEqual([after.ok, after.changed, after.titles('unknown')], [true, false, []])
  })

  it('reports as unknown what fails to be planned after a change not made', async () => {
    const tasks = [
      holds(directory.at('package'), 'installed'),
      resource({
        title: 'configure',
        probe: sh`cat ${directory.at('package')}`,
        plan: ({ code }) => {
          if (code !== 0) throw new Error('no such package')
          return undefined
        },
      }),
    ]
    const check = await runLocally([over(tasks)], { check: true })
    assert.deepEqual([check.ok, check.titles('unknown')], [true, ['configure']])
    const { ok, titles } = await runLocally([over(tasks)])
    assert.deepEqual([ok, titles('ok')], [true, ['configure']])
  })

  it('does not guess what rests on a file that is to change', async () => {
    const at = directory.at('unit')
    const unit = { ...holds(at, 'new'), writes: at }
    const rests = (title: string, restsOn: string[]) =>
      resource({ title, probe: sh`cat ${at} 2>/dev/null || :`, plan: () => undefined, restsOn })
    const tasks = [
      rests('before', [at]),
      unit,
      rests('on it', [at]),
      rests('on its folder', [directory.path]),
    ]
    const check = await runLocally([over([...tasks, rests('on another', [`${at}s`])])], { check: true })
    assert.deepEqual(check.titles('unknown'), ['on it', 'on its folder'])
    assert.deepEqual(check.titles('ok'), ['before', 'on another'])
    assert.match(
      check.tasks[2]?.reason ?? '',
      /^unknown until "unit holds new" has been done: it rests on that file$/,
    )
  })

  it('does not guess what an earlier task may bring along, on the same host', async () => {
    const daemon = resource({
      title: 'daemon',
      probe: raw('false'),
      plan: ({ code }) => (code === 0 ? undefined : { diff: '- none', apply: raw(':'), uncertain: true }),
    })
    const names = { hosts: ['rpi1', 'rpi2'], check: true }
    const plays = [over([holds(directory.at('package'), 'there')], { hosts: 'rpi2' }), over([daemon])]
    const check = await runLocally(plays, names)
    assert.deepEqual(check.titles('changed').toSorted(), ['rpi1 daemon', 'rpi2 package holds there'])
    assert.deepEqual(check.titles('unknown'), ['rpi2 daemon'])
  })

  it('tells whether anything was written, later plays too', async () => {
    let seen: boolean | undefined
    const ask: Play['tasks'] = (_, { wrote }) => {
      seen = wrote
      return []
    }
    const plays = [over([holds(directory.at('a'), 'b')]), over(ask)]
    const told: [boolean | undefined, boolean][] = []
    for (const check of [true, false, false]) {
      const { events } = await runLocally(plays, { check })
      for (const event of events) if (event.type === 'summary') told.push([seen, event.wrote])
    }
    assert.deepEqual(told, [
      [false, false],
      [true, true],
      [false, false],
    ])
  })

  it('counts as ok what only completes an earlier change, and tells what it did', async () => {
    const last = holds(directory.at('last'), 'there')
    const completing = {
      ...last,
      plan: (seen: Seen) => {
        const change = last.plan(seen)
        return change && { ...change, completes: true as const }
      },
    }
    const plays = [over([holds(directory.at('first'), 'there')]), over([completing])]
    const check = await runLocally(plays, { check: true })
    assert.deepEqual(check.titles('unknown'), ['last holds there'])
    const { titles, events } = await runLocally(plays)
    assert.deepEqual([titles('changed'), titles('ok')], [['first holds there'], ['last holds there']])
    const reasons = events.flatMap((event) => (event.type === 'task' ? [event.reason] : []))
    assert.match(reasons.join('\n'), /^to complete what was changed before: - , \+ there$/m)
    assert.equal(directory.read('last'), 'there')
  })

  it('fails on what would fail though nothing changes before it', async () => {
    const ask = resource({
      title: 'ask',
      probe: raw(':'),
      plan: () => {
        throw new Error('this is wrong')
      },
    })
    const { ok, reasons } = await runLocally([over([ask])], { check: true })
    assert.equal(ok, false)
    assert.match(reasons['rpi1'] ?? '', /this is wrong/)
  })
})

describe('handlers', () => {
  const directory = directoryForEach()
  const noting = (name: string): Handler => ({
    title: `note ${name}`,
    apply: sh`echo ${name} >>${directory.at('noted')}`,
  })

  it('run once, at the end of the play, in the order in which they are named', async () => {
    const [a, b] = [noting('a'), noting('b')]
    const tasks = [
      holds(directory.at('1'), '1', { notify: a }),
      holds(directory.at('2'), '2', { notify: [b, a] }),
      holds(directory.at('3'), '3', { notify: a }),
      holds(directory.at('4'), '4'),
    ]
    const varLib = directory.at('lib')
    const { titles } = await runLocally([over(tasks), over([holds(directory.at('5'), '5')])], { varLib })
    assert.equal(directory.read('noted'), 'a\nb\n')
    assert.deepEqual(titles('changed').slice(4), ['handler: note a', 'handler: note b', '5 holds 5'])
    const again = await runLocally([over(tasks)], { varLib })
    assert.deepEqual([again.changed, again.hosts['rpi1']?.trips], [false, 1])
    assert.equal(directory.read('noted'), 'a\nb\n')
  })

  it('run on the hosts that changed only', async () => {
    writeFileSync(directory.at('rpi2'), 'x')
    const note = { title: 'note', apply: sh`echo x >>${directory.at('noted')}` }
    const { titles } = await runLocally(
      [over(({ name }) => [holds(directory.at(name), 'x', { notify: note })])],
      { hosts: ['rpi1', 'rpi2'], varLib: directory.at('lib') },
    )
    assert.deepEqual(titles('changed').toSorted(), ['rpi1 handler: note', 'rpi1 rpi1 holds x'])
    assert.equal(directory.read('noted'), 'x\n')
  })

  it('survive a run that ends before them', async () => {
    const varLib = directory.at('lib')
    const controller = new AbortController()
    const plays = [
      over([holds(directory.at('1'), '1', { notify: noting('late') }), holds(directory.at('2'), '2')]),
    ]
    const cut = await runLocally(plays, {
      varLib,
      signal: controller.signal,
      onEvent: (event) => event.type === 'task' && controller.abort(),
    })
    assert.deepEqual([cut.interrupted, cut.titles('changed')], [true, ['1 holds 1']])
    assert.equal(existsSync(directory.at('noted')), false)
    const check = await runLocally(plays, { varLib, check: true })
    assert.deepEqual(check.titles('changed'), ['2 holds 2', 'handler: note late'])
    const next = await runLocally(plays, { varLib })
    assert.deepEqual(next.titles('changed'), ['2 holds 2', 'handler: note late'])
    assert.equal(directory.read('noted'), 'late\n')
  })

  it('survive a connection that dies right after the change', async () => {
    const varLib = directory.at('lib')
    const path = directory.at('1')
    const dying = resource(
      {
        title: 'dying',
        probe: sh`cat ${path} 2>/dev/null || :`,
        plan: ({ stdout }) =>
          stdout === 'x'
            ? undefined
            : // The shell, and its subshell that this runs in.
              { diff: '', apply: sh`printf x >${path}; kill -9 $$; sh -c 'kill -9 $PPID'` },
      },
      { notify: noting('late') },
    )
    const cut = await runLocally([over([dying])], { varLib })
    assert.match(cut.reasons['rpi1'] ?? '', /the connection was lost/)
    const next = await runLocally([over([dying])], { varLib })
    assert.deepEqual([next.titles('ok'), next.titles('changed')], [['dying'], ['handler: note late']])
  })

  it('stay pending when they fail', async () => {
    const varLib = directory.at('lib')
    const gate = directory.at('gate')
    const picky = { title: 'picky', apply: sh`test -e ${gate}` }
    const plays = [over([holds(directory.at('1'), '1', { notify: picky })])]
    const failed = await runLocally(plays, { varLib })
    assert.deepEqual(failed.titles('failed'), ['handler: picky'])
    writeFileSync(gate, '')
    const next = await runLocally(plays, { varLib })
    assert.deepEqual(next.titles('changed'), ['handler: picky'])
    assert.equal((await runLocally(plays, { varLib })).changed, false)
  })
})

describe('facts', () => {
  const directory = directoryForEach()
  const ask = (hosts: string, text: string) =>
    over(({ name }) => [holds(directory.at(name), text)], { hosts })

  it('of one host are there for the others in later plays', async () => {
    const use = over(({ name }, { facts }) => [
      holds(directory.at(`${name}-used`), facts.get('rpi1', 'text')),
    ])
    const { ok } = await runLocally([ask('rpi1', 'token'), use], { hosts: ['rpi1', 'rpi2'] })
    assert.deepEqual([ok, directory.read('rpi2-used')], [true, 'token'])
  })

  it('are those from after the change', async () => {
    writeFileSync(directory.at('rpi1'), 'old')
    const use = over((_, { facts }) => [holds(directory.at('used'), facts.get('rpi1', 'text'))])
    await runLocally([ask('rpi1', 'new'), use])
    assert.equal(directory.read('used'), 'new')
  })

  it('that nobody told fail the host, which says whose they are', async () => {
    const use = over((_, { facts }) => [holds(directory.at('used'), facts.get('rpi1', 'colour'))])
    const { ok, reasons } = await runLocally([ask('rpi1', 'x'), use])
    assert.equal(ok, false)
    assert.match(
      reasons['rpi1'] ?? '',
      /^rpi1: needs the colour of rpi1, which rpi1 has not told[^]*next: +Is rpi1 in --limit/,
    )
  })

  it('that stand in while looking ahead never get into a change', async () => {
    const use = over((_, { facts }) => [holds(directory.at('used'), facts.get('rpi1', 'text', 'a stand-in'))])
    await runLocally([ask('rpi1', 'real'), use])
    assert.equal(directory.read('used'), 'real')
  })
})

describe('a playbook with a mistake', () => {
  const directory = directoryForEach()
  const broken: [what: string, tasks: Play['tasks'], says: RegExp][] = [
    [
      'an error',
      () => {
        throw new Error('no roses')
      },
      /^test\.ts throws: no roses\n {2}at test\/unit\/engine\/run\.test\.ts:\d+:\d+/,
    ],
    [
      'a mistake in its code',
      (host) => [holds(host.extra['path'] as string, 'x')],
      /^test\.ts throws: .*undefined/,
    ],
    [
      'bad input',
      () => {
        throw new InputError('no such rose', { next: 'plant one' })
      },
      /^no such rose\n {2}at test\/unit\/engine\/run\.test\.ts:\d+:\d+\n {2}next: +plant one/,
    ],
    ['an unknown group', (_, { cluster }) => cluster.group('rosses').map(() => holds('/x', 'x')), /rosses/],
  ]
  for (const [what, tasks, says] of broken) {
    it(`that throws ${what} is refused before any connection`, async () => {
      const connected: string[] = []
      const first = over([holds(directory.at('first'), 'x')])
      const later = { name: 'later', hosts: 'all', tasks }
      await assert.rejects(
        runLocally([first, later], { onEvent: ({ type }) => connected.push(type) }),
        (error) => error instanceof InputError && says.test(error.describe()),
      )
      assert.deepEqual([connected, existsSync(directory.at('first'))], [[], false])
    })
  }

  it('that has two handlers of one name is refused, in one play or in two', async () => {
    const one = holds(directory.at('one'), 'x', handler('restart nginx'))
    const two = holds(directory.at('two'), 'x', handler('restart haproxy'))
    const says =
      /^two handlers are called "restart"\n[^]*found: +restart nginx\n +restart haproxy\n {2}next: +Give each a title of its own/
    for (const plays of [[over([one, two])], [over([one]), over([two])]]) {
      await assert.rejects(
        runLocally(plays),
        (error) => error instanceof InputError && says.test(error.describe()),
      )
    }
    assert.equal(existsSync(directory.at('one')), false)
  })

  it('that names hosts which are not there is refused before any connection', async () => {
    const plays = [over([]), over([], { hosts: 'rpi9' })]
    await assert.rejects(
      runLocally(plays),
      (error) => error instanceof InputError && /rpi9/.test(error.message),
    )
  })
})

describe('plays', () => {
  const directory = directoryForEach()
  const failing = (...names: string[]) =>
    over(({ name }) => [
      names.includes(name)
        ? resource({ title: 'fail', probe: raw(':'), plan: () => ({ diff: '', apply: raw('false') }) })
        : holds(directory.at(name), 'x'),
    ])
  const later = () => over(({ name }) => [holds(directory.at(`${name}-later`), 'x')])
  const written = () => readdirSync(directory.path).toSorted()

  it('that are critical end the run when one host fails', async () => {
    const plays = [{ ...failing('rpi1'), critical: true, name: 'quorum' }, later()]
    const { ok, stopped } = await runLocally(plays, { hosts: ['rpi1', 'rpi2'] })
    assert.deepEqual([ok, written()], [false, ['rpi2']])
    assert.equal(stopped, 'the play "quorum" ended the run: 1 of its hosts failed; plays not begun: test')
  })

  it('that are critical in their tasks end the run for a task that fails, not for a host that is lost', async () => {
    const hosts = ['rpi1', 'rpi2']
    const lost = await runLocally([{ ...failing(), critical: 'tasks' }, later()], {
      hosts,
      unreachable: ['rpi1'],
    })
    assert.deepEqual([lost.ok, lost.stopped, written()], [false, undefined, ['rpi2', 'rpi2-later']])
    const unfit = await runLocally([{ ...failing('rpi1'), critical: 'tasks', name: 'fit' }, over(() => [])], {
      hosts,
    })
    assert.match(unfit.stopped ?? '', /^the play "fit" ended the run: 1 of its hosts failed/)
  })

  it('that are critical and serial touch no host after the one that failed', async () => {
    await runLocally([{ ...failing('rpi2'), critical: true, serial: 1 }, later()], { hosts: four })
    assert.deepEqual(written(), ['rpi1'])
  })

  it('that are critical begin no host that waits for its turn when one has failed', async () => {
    await runLocally([{ ...failing('rpi1'), critical: true }, later()], { hosts: four, forks: 1 })
    assert.deepEqual(written(), [])
  })

  it('end the run when more hosts fail than they allow', async () => {
    const two = await runLocally([{ ...failing('rpi1', 'rpi2'), maxFailures: 1 }, later()], { hosts: four })
    assert.deepEqual([two.ok, written()], [false, ['rpi3', 'rpi4']])
    assert.match(two.stopped ?? '', /2 of its hosts failed/)
    const one = await runLocally([{ ...failing('rpi1'), maxFailures: 1 }, later()], { hosts: four })
    assert.deepEqual([one.ok, one.stopped], [false, undefined])
    assert.deepEqual(
      written().filter((name) => name.endsWith('later')),
      ['rpi2-later', 'rpi3-later', 'rpi4-later'],
    )
  })

  it('tell of a probe that could not look what it printed on stderr', async () => {
    const blind = resource({
      title: 'a rose',
      probe: raw('echo thorns are in the way >&2; exit 3'),
      plan: (seen) => (printed(seen, 'the rose') === '' ? undefined : { diff: '', apply: raw(':') }),
    })
    const { reasons } = await runLocally([over([blind])])
    assert.match(
      reasons['rpi1'] ?? '',
      /^rpi1: a rose: could not look at the rose\n[^]*found: +exit code 3\n {2}stderr: +thorns are in the way/,
    )
  })

  it('end when no host is left', async () => {
    const { events } = await runLocally([failing('rpi1'), later()])
    assert.equal(events.filter((event) => event.type === 'play').length, 1)
  })

  const widths: [what: string, play: Partial<Play>, forks: number | undefined, most: number][] = [
    ['work on all hosts side by side', {}, undefined, 4],
    ['work on as many as --forks says', {}, 2, 2],
    ['work on one after another with serial 1', { serial: 1 }, undefined, 1],
    ['work on as many as serial says', { serial: 3 }, undefined, 3],
    ['take serial as a share of the hosts', { serial: '50%' }, undefined, 2],
    ['take one host where the share is less', { serial: '10%' }, undefined, 1],
  ]
  for (const [what, play, forks, most] of widths) {
    it(what, async () => assert.equal(await atOnce(play, forks), most))
  }

  it('with runOnce take the first host that is left', async () => {
    const once = over(({ name }) => [holds(directory.at('once'), name)], { runOnce: true })
    await runLocally([failing('rpi1'), once], { hosts: ['rpi1', 'rpi2', 'rpi3'] })
    assert.equal(directory.read('once'), 'rpi2')
  })

  it('wait for each other: all hosts finish one before the next begins', async () => {
    const { events } = await runLocally([later(), failing()], { hosts: four })
    const order = events.flatMap((event) =>
      event.type === 'play' || event.type === 'finished' ? [event.type] : [],
    )
    assert.deepEqual(order, ['play', ...four.map(() => 'finished'), 'play', ...four.map(() => 'finished')])
  })
})

describe('tags', () => {
  const directory = directoryForEach()
  const plays = () => {
    const note = { title: 'note', apply: sh`echo x >>${directory.at('noted')}` }
    return [
      over([holds(directory.at('a'), 'x', { tags: ['web'], notify: note }), holds(directory.at('b'), 'x')]),
      over([holds(directory.at('c'), 'x'), holds(directory.at('d'), 'x')], { tags: ['web', 'nfs'] }),
      over([holds(directory.at('e'), 'x', { tags: ['nfs'] })]),
    ]
  }

  it('choose tasks, whole plays, and the handlers of the tasks chosen', async () => {
    const { titles, hosts } = await runLocally(plays(), { tags: ['web'], varLib: directory.at('lib') })
    assert.deepEqual(titles('changed'), ['a holds x', 'handler: note', 'c holds x', 'd holds x'])
    assert.deepEqual([titles('skipped'), hosts['rpi1']?.skipped], [['b holds x', 'e holds x'], 2])
  })

  it('leave out the handlers of tasks that were left out', async () => {
    const { titles } = await runLocally(plays(), { tags: ['nfs'], varLib: directory.at('lib') })
    assert.deepEqual(titles('changed'), ['c holds x', 'd holds x', 'e holds x'])
    assert.ok(titles('skipped').includes('handler: note'))
  })

  it('fetch nothing for what they leave out', async () => {
    const { events } = await runLocally(plays(), { tags: ['web'], varLib: directory.at('lib') })
    const probes = events.flatMap((event) => (event.type === 'trip' ? [event.probes] : []))
    assert.equal(probes[0], 4)
  })

  it('that nothing has are told before any host is connected to', async () => {
    const events: Event[] = []
    const told = runLocally(plays(), { tags: ['roses'], onEvent: (event) => events.push(event) })
    await assert.rejects(told, { message: '--tags roses: no play and no task has this tag' })
    assert.deepEqual(events, [])
  })

  it('name the playbooks that a playbook is made of', async () => {
    const one = playbook({ name: 'one', plays: [over([holds(directory.at('one'), 'x')])] })
    const two = playbook({ name: 'two', plays: [over([holds(directory.at('two'), 'x')])] })
    const { plays } = playbook({ name: 'both', plays: [one, two] })
    const { titles } = await runLocally(plays, { tags: ['two'] })
    assert.deepEqual(titles('changed'), ['two holds x'])
  })
})

describe('an interruption', () => {
  const directory = directoryForEach()

  it('lets the step under way finish, begins no other, and reports', async () => {
    const controller = new AbortController()
    const slow = resource({
      title: 'slow',
      probe: sh`cat ${directory.at('slow')} 2>/dev/null || :`,
      plan: ({ stdout }) =>
        stdout === 'done'
          ? undefined
          : { diff: '', apply: sh`sleep 0.2; printf done >${directory.at('slow')}` },
    })
    const { events, interrupted, ok, titles, stopped } = await runLocally(
      [over([slow, holds(directory.at('next'), 'x')]), over([holds(directory.at('later'), 'x')])],
      {
        signal: controller.signal,
        onEvent: (event) => event.type === 'doing' && event.what === 'slow' && controller.abort(),
      },
    )
    assert.deepEqual(readdirSync(directory.path), ['slow'])
    assert.deepEqual(
      [titles('changed'), interrupted, ok, stopped],
      [['slow'], true, false, 'interrupted; plays not begun: test'],
    )
    assert.equal(events.at(-1)?.type, 'summary')
  })

  it('connects to no host that is still waiting for its turn', async () => {
    const controller = new AbortController()
    const { connected } = await runLocally([over(({ name }) => [holds(directory.at(name), 'x')])], {
      hosts: four,
      forks: 1,
      signal: controller.signal,
      onEvent: (event) => event.type === 'connected' && controller.abort(),
    })
    assert.deepEqual(connected, ['rpi1'])
  })

  it('ends a wait, and does not say that its time had passed', async () => {
    const controller = new AbortController()
    const waiting = resource({
      title: 'wait',
      settle: 60,
      probe: raw('echo no'),
      plan: () => ({ diff: '- no', apply: raw(':') }),
    })
    const { reasons } = await runLocally([over([waiting])], {
      signal: controller.signal,
      onEvent: (event) => event.type === 'doing' && event.what === 'wait: waiting' && controller.abort(),
    })
    assert.match(reasons['rpi1'] ?? '', /^rpi1: wait: interrupted before it converged/)
  })
})

/** The most hosts that were at work at the same time. */
async function atOnce(play: Partial<Play>, forks?: number): Promise<number> {
  let [working, most] = [0, 0]
  const wait = resource({ title: 'wait', probe: raw('sleep 0.1'), plan: () => undefined })
  await runLocally([over([wait], play)], {
    hosts: four,
    ...(forks !== undefined && { forks }),
    onEvent: ({ type }) => {
      if (type === 'connected') working += 1
      if (type === 'finished') working -= 1
      most = Math.max(most, working)
    },
  })
  return most
}
