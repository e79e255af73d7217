import assert from 'node:assert/strict'
import { longestGap, noneFailed } from '../../../src/drill/bounds.ts'
import { catalogue, type Drill } from '../../../src/drill/catalogue.ts'
import { runDrill } from '../../../src/drill/run.ts'
import { BrambleError, ConnectionError } from '../../../src/errors.ts'
import type { Host, Inventory } from '../../../src/inventory/index.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { laboratory } from '../status/cluster.ts'
import { loadOf, Understudy } from './understudy.ts'

/** A drill that cuts the power of rpi3, and then does something else. */
const drillThat = (then: Drill['run'], bounds: Drill['bounds'] = [noneFailed()]): Drill => ({
  name: 'test',
  title: 'A test',
  bounds,
  async run(stage) {
    await stage.cutPower(stage.cluster.hosts[2] as Host)
    await then(stage)
  },
})
const quiet = () => undefined
const oneFailed = () =>
  loadOf((sample, index) => (index === 40 ? { ...sample, error: 'answered 503' } : sample))

describe('a drill', () => {
  let inventory: Inventory
  let access: Understudy
  before(async () => {
    inventory = await laboratory()
  })
  beforeEach(() => {
    access = new Understudy(inventory)
  })

  it('puts back what it cut when something goes wrong, and tells of both', async () => {
    const drill = drillThat(() => Promise.reject(new BrambleError('no roses', { host: 'rpi2' })))
    const result = await runDrill(drill, access, () => loadOf(), quiet)
    assert.deepEqual(access.done, ['off rpi3', 'on rpi3'])
    assert.deepEqual([result?.ok, result?.as_before, result?.error], [false, true, 'rpi2: no roses'])
  })

  it('puts back what it cut when it is interrupted, and has no result', async () => {
    const drill = drillThat(async (stage) => {
      access.stop.abort()
      await stage.hold(600)
    })
    assert.equal(await runDrill(drill, access, () => loadOf(), quiet), undefined)
    assert.deepEqual(access.done, ['off rpi3', 'on rpi3'])
  })

  it('takes back what needs a command when it is interrupted', async () => {
    const drill = drillThat((stage) => {
      stage.undo('a rule', async () => {
        await stage.run(stage.cluster.hosts[0] as Host, sh`take the rule away`)
      })
      access.stop.abort()
      return stage.hold(600)
    })
    await runDrill(drill, access, () => loadOf(), quiet)
    assert.deepEqual(access.done, ['off rpi3', 'rpi1: take the rule away', 'on rpi3'])
  })

  it('takes a node back into service that it has taken out when it is interrupted, and says so', async () => {
    const drill = catalogue.find(({ name }) => name === 'reboot-all')
    assert.ok(drill)
    const play = access.play.bind(access)
    const signals: (AbortSignal | undefined)[] = []
    access.play = (name, _, signal) => {
      signals.push(signal)
      if (name === 'reboot of rpi3') access.stop.abort()
      return play(name)
    }
    const told: string[] = []
    await runDrill(
      drill,
      access,
      () => loadOf(),
      ({ what }) => told.push(what),
    )
    const [out, , reboot, back, ...more] = access.done
    assert.deepEqual(
      [out, reboot, back, more],
      ['play: rpi3 out of service', 'play: reboot of rpi3', 'play: rpi3 in service', []],
    )
    assert.deepEqual(signals, [access.signal, access.signal, undefined], 'or it would end at once')
    assert.equal(told.at(-1), 'put back: rpi3 in service')
  })

  it('says what could not be put back', async () => {
    access.plugs.powerOn = () => Promise.reject(new BrambleError('it burns'))
    const result = await runDrill(
      drillThat(() => Promise.resolve()),
      access,
      () => loadOf(),
      quiet,
    )
    assert.equal(
      result?.error,
      'not all could be put back\n  found:    power of rpi3: it burns\n  next:     bramble status shows what is wrong; in the lab: bramble lab status',
    )
    assert.equal(result.as_before, false)
  })

  it('tells what went wrong in it beside what could not be put back', async () => {
    access.plugs.powerOn = () => Promise.reject(new BrambleError('it burns'))
    const drill = drillThat(() => Promise.reject(new BrambleError('no roses', { host: 'rpi2' })))
    const result = await runDrill(drill, access, () => loadOf(), quiet)
    assert.match(
      result?.error ?? '',
      /^not all could be put back\n {2}found: +power of rpi3: it burns\n +rpi2: no roses\n/,
    )
  })

  it('is not begun on a cluster that is not whole', async () => {
    await access.plugs.powerOff([inventory.hosts[2] as Host])
    const begun = runDrill(
      drillThat(() => Promise.resolve()),
      access,
      () => assert.fail('load'),
      quiet,
    )
    await assert.rejects(begun, (error: BrambleError) => {
      assert.equal(
        error.describe(),
        'the cluster is not whole: what a drill would show is not what it can do\n  found:    rpi3: cannot be reached\n  next:     bramble status says what to do',
      )
      return true
    })
  })

  it('is not begun before a preferred load balancer has taken the virtual IP back, and says so', async () => {
    await access.play('virtual IP away')
    const told: string[] = []
    const drill = drillThat((stage) => {
      assert.equal(stage.before['virtual IP'], 'rpi1')
      return Promise.resolve()
    })
    await runDrill(
      drill,
      access,
      () => loadOf(),
      ({ what }) => told.push(what),
    )
    assert.equal(
      told[0],
      'waits until the cluster has settled: the virtual IP is on rpi2, and rpi1 takes it back',
    )
  })

  it('is begun where the virtual IP stays with another load balancer', async () => {
    await access.play('virtual IP away')
    access.pause = () => Promise.resolve()
    const drill = drillThat((stage) => {
      assert.equal(stage.before['virtual IP'], 'rpi2')
      return Promise.resolve()
    })
    const result = await runDrill(drill, access, () => loadOf(), quiet)
    assert.equal(result?.error, null)
  })

  it('is begun once the cluster has become whole', async () => {
    await access.plugs.powerOff([inventory.hosts[2] as Host])
    let pauses = 0
    access.pause = async () => {
      if ((pauses += 1) === 2) await access.plugs.powerOn([inventory.hosts[2] as Host])
    }
    const result = await runDrill(
      drillThat(() => Promise.resolve()),
      access,
      () => loadOf(),
      quiet,
    )
    assert.equal(result?.error, null)
  })

  it('is not begun where no host can be reached', async () => {
    await access.plugs.powerOff(inventory.hosts)
    const begun = runDrill(
      drillThat(() => Promise.resolve()),
      access,
      () => assert.fail('load'),
      quiet,
    )
    await assert.rejects(begun, ConnectionError)
  })

  it('tells what the load balancers logged meanwhile, in the order of time', async () => {
    const result = await runDrill(
      drillThat((stage) => stage.end()),
      access,
      () => loadOf(),
      quiet,
    )
    assert.deepEqual(
      result?.log.map(({ host, service, text }) => [host, service, text]),
      [
        ['rpi2', 'haproxy', 'Server web/rpi3 is DOWN'],
        ['rpi1', 'haproxy', 'Server web/rpi3 is DOWN'],
      ],
    )
    assert.ok((result?.log[0]?.at_s ?? -1) >= 0, 'it counts from when the power was cut')
  })

  it('tells of a load balancer whose log cannot be read', async () => {
    const run = access.run.bind(access)
    access.run = (host, command) =>
      command.text.includes('docker logs') && host.name === 'rpi2'
        ? Promise.reject(new BrambleError('no docker'))
        : run(host, command)
    const result = await runDrill(
      drillThat((stage) => stage.end()),
      access,
      () => loadOf(),
      quiet,
    )
    const [told] = result?.log.filter(({ host }) => host === 'rpi2') ?? []
    assert.equal(told?.text, 'no logs: no docker')
  })

  it('misses a bound that is exceeded, and gives times from when something was first done', async () => {
    const drill = drillThat(
      async (stage) => {
        stage.figures['new content seen'] = 3
        await stage.end()
        await stage.whole()
      },
      [noneFailed(), longestGap(60_000)],
    )
    const slow = new Understudy(inventory)
    // The requests of the load are spread over 100 ms from its beginning.
    slow.pause = () => new Promise((resolve) => void setTimeout(resolve, 150))
    const result = await runDrill(drill, slow, oneFailed, quiet)
    assert.deepEqual(
      result?.bounds.map(({ what, found, ok }) => [what, found, ok]),
      [
        ['failed', 1, false],
        ['longest gap', result?.longest_gap_ms, true],
      ],
    )
    assert.equal(result?.ok, false)
    assert.equal(result.as_before, true)
    const [failure] = result.failures
    assert.equal(failure?.reason, 'answered 503')
    assert.ok((failure?.first_s ?? 0) < 0, 'it was sent before the power was cut')
    assert.equal(result.marks[0]?.at_s, 0)
    assert.deepEqual(result.figures, { 'new content seen': 3 })
  })
})
