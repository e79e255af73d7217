import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { batched, type Batch } from '../../../src/playbook/batch.ts'
import { resource } from '../../../src/playbook/resource.ts'
import { lines, raw, sh } from '../../../src/playbook/sh.ts'
import { directoryForEach, holds, over, runLocally } from './harness.ts'

const numbers = Array.from({ length: 40 }, (_, index) => index)

const late = (path: string) =>
  resource({
    title: 'see what rpi1 did',
    probe: sh`cat ${path}`,
    plan: ({ stdout }) => (stdout === 'new' ? undefined : { diff: 'stale', apply: raw('false') }),
  })

const until = (path: string) =>
  resource({
    title: `until ${path}`,
    probe: sh`while [ ! -e ${path} ]; do sleep 0.01; done`,
    plan: () => undefined,
  })

describe('round trips', () => {
  const directory = directoryForEach()
  const files = (from = 0, to = 40) =>
    numbers.slice(from, to).map((number) => holds(directory.at(`file${number}`), 'new'))
  const write = (changed: (number: number) => boolean) => {
    for (const number of numbers) {
      writeFileSync(directory.at(`file${number}`), changed(number) ? 'old' : 'new')
    }
  }

  it('a host where all is as it should be costs one, for a playbook of several plays', async () => {
    write(() => false)
    const plays = [over(files(0, 10)), over(files(10, 25)), over(files(25, 40)), over([])]
    const { hosts, titles, connected } = await runLocally(plays)
    assert.equal(titles('ok').length, 40)
    assert.deepEqual([hosts['rpi1']?.trips, connected], [1, ['rpi1']])
  })

  // One to look at all, and one for each change: it verifies it, and fetches all up to what was not well before.
  const costs: [what: string, changed: (number: number) => boolean, trips: number][] = [
    ['none of 40 changed', () => false, 1],
    ['all of 40 changed', () => true, 41],
    ['the last of 40 changed', (number) => number === 39, 2],
    ['the first of 40 changed', (number) => number === 0, 2],
    ['the first two of 40 changed', (number) => number < 2, 3],
    ['the 20th of 40 changed', (number) => number === 19, 2],
    ['every other of 40 changed', (number) => number % 2 === 1, 1 + 20],
  ]
  for (const [what, changed, trips] of costs) {
    it(`${what} cost ${trips}`, async () => {
      write(changed)
      const { hosts, titles } = await runLocally([over(files())])
      assert.equal(titles('changed').length, numbers.filter(changed).length)
      assert.equal(hosts['rpi1']?.trips, trips)
    })
  }

  it('the look-ahead goes on into later plays after a change', async () => {
    write((number) => number === 9)
    const { hosts } = await runLocally([over(files(0, 10)), over(files(10, 11)), over(files(11, 12))])
    assert.equal(hosts['rpi1']?.trips, 2)
  })

  it('what an earlier change mended along is looked at in growing steps', async () => {
    write(() => true)
    const all = resource({
      title: 'mends all',
      probe: sh`cat ${directory.at('file39')}`,
      plan: ({ stdout }) =>
        stdout === 'new'
          ? undefined
          : {
              diff: 'old',
              apply: lines(...numbers.map((number) => sh`printf new >${directory.at(`file${number}`)}`)),
            },
    })
    const { hosts, titles } = await runLocally([over([all, ...files()])])
    assert.deepEqual([titles('changed'), titles('ok').length], [['mends all'], 40])
    // One to look, one for the change and the first file, then 1, 2, 4, 8, 16, and the rest.
    assert.equal(hosts['rpi1']?.trips, 2 + 6)
  })

  it('what was waited for costs one more, however much follows', async () => {
    write(() => false)
    const path = directory.at('slow')
    const slow = resource({
      title: 'slow',
      probe: sh`cat ${path} 2>/dev/null; echo up >${path}`,
      plan: ({ stdout }) => (stdout === 'up\n' ? undefined : { diff: '+ up', apply: sh`:`, waits: true }),
    })
    const { hosts, titles } = await runLocally([over([slow, ...files()])])
    assert.deepEqual([titles('ok').length, hosts['rpi1']?.trips], [41, 2])
  })

  it('the same probe in several tasks is asked once', async () => {
    write(() => false)
    const count = directory.at('count')
    const probe = sh`echo x >>${count}; echo same`
    const tasks = [1, 2, 3].map((number) =>
      resource({ title: `task ${number}`, probe, plan: () => undefined }),
    )
    await runLocally([over(tasks), over(tasks)])
    assert.equal(directory.read('count'), 'x\n')
  })

  it('a play whose hosts are all elsewhere costs nothing', async () => {
    write(() => false)
    const { hosts, connected } = await runLocally([over(files(), { hosts: 'rpi1' })], {
      hosts: ['rpi1', 'rpi2'],
    })
    assert.deepEqual([hosts['rpi1']?.trips, hosts['rpi2']?.trips, connected], [1, 0, ['rpi1']])
  })

  it('a merged probe that cannot be told apart costs one more, and each is run alone', async () => {
    const broken: Batch<string> = { merge: () => sh`echo broken`, split: () => undefined }
    const tasks = ['a', 'b'].map((name) =>
      resource({
        title: name,
        probe: batched(broken, name, sh`echo ${name} alone`),
        plan: ({ stdout }) =>
          stdout === `${name} alone\n` ? undefined : { diff: stdout, apply: raw('false') },
      }),
    )
    const { hosts, titles } = await runLocally([over(tasks)])
    assert.deepEqual([titles('ok'), hosts['rpi1']?.trips], [['a', 'b'], 2])
  })

  it('a change on another host makes what was fetched ahead stale', async () => {
    const shared = directory.at('shared')
    writeFileSync(shared, 'old')
    const look = (title: string) =>
      resource({
        title,
        probe: sh`cat ${shared}`,
        plan: ({ stdout }) =>
          stdout === 'new' ? undefined : { diff: 'stale', apply: lines(sh`echo stale >&2`, raw('false')) },
      })
    const first = over([holds(directory.at('own'), 'so')], { hosts: 'rpi1' })
    writeFileSync(directory.at('own'), 'so')
    const second = over([holds(shared, 'new')], { hosts: 'rpi2' })
    const third = over([look('see what rpi2 did')], { hosts: 'rpi1' })
    const result = await runLocally([first, second, third], { hosts: ['rpi1', 'rpi2'] })
    assert.deepEqual(result.reasons, {})
    assert.equal(result.hosts['rpi1']?.trips, 2)
    const again = await runLocally([first, second, third], { hosts: ['rpi1', 'rpi2'] })
    assert.deepEqual([again.hosts['rpi1']?.trips, again.hosts['rpi2']?.trips], [1, 1])
  })

  it('and so does the end of one, for a host whose turn came while it was under way', async () => {
    const [shared, begun, gone] = ['shared', 'begun', 'gone'].map((name) => directory.at(name))
    assert.ok(shared && begun && gone)
    writeFileSync(shared, 'old')
    const slow = resource({
      title: 'slow',
      probe: sh`cat ${shared}`,
      plan: ({ stdout }) =>
        stdout === 'new'
          ? undefined
          : {
              diff: '',
              apply: sh`: >${begun}; while [ ! -e ${gone} ]; do sleep 0.01; done; printf new >${shared}`,
            },
    })
    // rpi2 is done once that is under way; then comes rpi3's turn, which asks ahead.
    const first = over(({ name }) =>
      name === 'rpi1' ? [slow] : name === 'rpi2' ? [until(begun)] : [holds(directory.at('own'), '')],
    )
    const then = over(({ name }) => (name === 'rpi3' ? [late(shared)] : []))
    const result = await runLocally([first, then], {
      hosts: ['rpi1', 'rpi2', 'rpi3'],
      forks: 2,
      onEvent: (event) => {
        if (event.type === 'finished' && event.host === 'rpi3') writeFileSync(gone, '')
      },
    })
    assert.deepEqual(result.reasons, {})
  })

  it('and so does a wait', async () => {
    const shared = directory.at('shared')
    writeFileSync(shared, 'old')
    const waited = resource({
      title: 'waited for',
      probe: sh`cat ${shared}`,
      // What is waited for comes by itself.
      plan: ({ stdout }) =>
        stdout === 'new' ? undefined : { diff: '', apply: sh`printf new >${shared}`, waits: true },
    })
    const first = over([holds(directory.at('none'), '')], { hosts: 'rpi1' })
    const plays = [first, over([waited], { hosts: 'rpi2' }), over([late(shared)], { hosts: 'rpi1' })]
    const result = await runLocally(plays, { hosts: ['rpi1', 'rpi2'] })
    assert.deepEqual([result.reasons, result.hosts['rpi1']?.trips], [{}, 2])
  })

  it('counts, times and connections are told for each host', async () => {
    write((number) => number === 0)
    const { events, hosts } = await runLocally([over(files(0, 2))])
    const trips = events.filter((event) => event.type === 'trip')
    assert.deepEqual(
      trips.map(({ probes }) => probes),
      [2, 3],
    )
    assert.deepEqual(
      { ...hosts['rpi1'], ms: 0, remoteMs: 0 },
      {
        ok: 1,
        changed: 1,
        failed: 0,
        skipped: 0,
        trips: 2,
        unreachable: false,
        ms: 0,
        remoteMs: 0,
      },
    )
    assert.equal(events.filter((event) => event.type === 'connected').length, 1)
    assert.equal(events.at(-1)?.type, 'summary')
  })

  it('a large content is fed beside the script', async () => {
    const { Readable } = await import('node:stream')
    const path = directory.at('large')
    const large = resource({
      title: 'large',
      probe: sh`cat ${path} 2>/dev/null | wc -c`,
      plan: ({ stdout }) =>
        Number(stdout) === 300_000
          ? undefined
          : { diff: '', apply: sh`cat >${path}`, input: () => Readable.from([Buffer.alloc(300_000, 'x')]) },
    })
    const { titles } = await runLocally([over([large])])
    assert.deepEqual([titles('changed'), existsSync(path)], [['large'], true])
    assert.equal(directory.read('large'), 'x'.repeat(300_000))
  })
})
