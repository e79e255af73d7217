import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { startLoad, type Load } from '../../src/drill/load.ts'
import { measure, type Sample } from '../../src/drill/measure.ts'
import { until } from '../../src/lab/wait.ts'

/** A site that can be ended as if by kill -9, and begun again. */
class Site {
  port = 0
  answer: number | 'none' | 'end what is kept' | 'cut what is kept' = 200
  /** Requests that were left without an answer, by whether they came over a connection that had been used. */
  readonly unanswered = { new: 0, kept: 0 }
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  async begin(): Promise<void> {
    const known = new Set<Socket>()
    this.#server = createServer(({ socket }, response) => {
      const kept = known.has(socket)
      if (this.answer === 'end what is kept' && kept) socket.destroy()
      else if (this.answer === 'cut what is kept' && kept) {
        response.writeHead(200, { 'Content-Length': 5 }).write('hel', () => socket.destroy())
      } else if (this.answer === 'none') {
        this.unanswered[kept ? 'kept' : 'new'] += 1
      } else {
        const code = typeof this.answer === 'number' ? this.answer : 200
        response.writeHead(code, { 'X-Bramble-Content': 'nfs' }).end('hello')
      }
      known.add(socket)
    })
    this.#server.on('connection', (socket) => this.#sockets.add(socket))
    await once(this.#server.listen(this.port, '127.0.0.1'), 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  async end(): Promise<void> {
    const server = this.#server
    const closed = new Promise((resolve) => server?.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
    await closed
  }
}

const all = (samples: readonly Sample[]) => measure(samples, 0, Infinity)

describe('the load of a drill', function () {
  this.timeout(60_000)
  let site: Site
  let load: Load
  beforeEach(async () => {
    site = new Site()
    await site.begin()
  })
  afterEach(() => site.end())

  const sent = (kind: Sample['kind'], more = 10) => {
    const { length } = load.samples.filter((sample) => sample.kind === kind)
    return until(`${more} more requests over ${kind} connections`, 20_000, () => {
      return load.samples.filter((sample) => sample.kind === kind).length >= length + more
    })
  }
  it('opens new connections at its pace and keeps others, none of which fails while all is well', async () => {
    load = startLoad([site.url], { every: 20, rest: 20 })
    await sent('new', 100)
    const samples = await load.stop()
    const { requests, failed, kept } = all(samples)
    assert.ok(requests >= 50)
    assert.ok(kept.requests >= 20, String(kept.requests))
    assert.deepEqual([failed, kept.failed, kept.again], [0, 0, 0])
    assert.ok(samples.every(({ content }) => content === 'nfs'))
    const times = samples.filter(({ kind }) => kind === 'new').map(({ at }) => at)
    const pace = (Math.max(...times) - Math.min(...times)) / (times.length - 1)
    assert.ok(pace > 19 && pace < 25, `one in ${pace} ms`)
  })

  it('measures for how long a site was away, and why each request failed', async () => {
    load = startLoad([site.url], { every: 20, kept: 0 })
    await sent('new')
    await site.end()
    const from = Date.now()
    await until('refused requests', 20_000, () => load.samples.filter(({ error }) => error).length > 150)
    await site.begin()
    const away = Date.now() - from
    await sent('new')
    const samples = await load.stop()
    const { gap, failed, failures } = measure(samples, samples[0]?.at ?? 0, Date.now())
    assert.ok(Math.abs(gap - away) < 750, `${gap} ms; it was away for ${away} ms`)
    assert.ok(failed >= 30)
    assert.ok(failures.some(({ reason }) => reason === 'connection refused while connecting'))
  })

  it('sends once more what met a kept connection that had ended, as browsers do', async () => {
    load = startLoad([site.url], { every: 0, kept: 1, rest: 20 })
    await sent('kept', 5)
    site.answer = 'end what is kept'
    await sent('kept', 5)
    const { kept } = all(await load.stop())
    assert.ok(kept.again >= 4, `${kept.again} sent again`)
    assert.equal(kept.failed, 0)
  })

  it('counts an answer that was cut off as failed, over a kept connection too', async () => {
    load = startLoad([site.url], { every: 0, kept: 1, rest: 20 })
    await sent('kept', 5)
    site.answer = 'cut what is kept'
    await sent('kept', 5)
    const { kept, failures } = all(await load.stop())
    assert.ok(kept.failed >= 2, `${kept.failed} failed`)
    assert.equal(kept.again, 0)
    assert.match(failures[0]?.reason ?? '', /^connection ended while receiving the answer \(kept/)
  })

  it('counts an answer that is an error as a failed request', async () => {
    load = startLoad([site.url], { every: 20, kept: 0 })
    await sent('new', 2)
    site.answer = 503
    await sent('new', 5)
    const { failures } = all(await load.stop())
    assert.deepEqual(
      failures.map(({ reason }) => reason),
      ['answered 503'],
    )
  })

  it('waits for the answers under way when it is stopped, and no longer than ten seconds', async () => {
    load = startLoad([site.url], { every: 50, kept: 1 })
    await sent('kept', 1)
    site.answer = 'none'
    const silent = Date.now()
    await until('some of each kind to wait', 5000, () => {
      return site.unanswered.new > 0 && site.unanswered.kept > 0
    })
    const { failures } = all(await load.stop())
    const reasons = failures.map(({ reason }) => reason).toSorted()
    assert.ok(Date.now() - silent < 15_000, `${Date.now() - silent} ms`)
    const late = 'nothing for 10 s while waiting for the answer'
    assert.deepEqual(reasons, [late, `${late} (kept connection)`])
  })

  it('says why it could not be started', async () => {
    load = startLoad([site.url], { via: ['false'] })
    await assert.rejects(load.stop(), /the program that sends requests did not work/)
    load = startLoad([site.url], { via: ['no-such-program'] })
    await assert.rejects(load.stop(), /the program that sends requests did not work/)
  })
})
