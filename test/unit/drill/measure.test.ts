import assert from 'node:assert/strict'
import { measure, perSecond, type Sample } from '../../../src/drill/measure.ts'

const fresh = (at: number, ms: number, more: Partial<Sample> = {}): Sample => ({
  kind: 'new',
  url: 'http://site/',
  at,
  ms,
  ...more,
})

/** One every 100 ms, each answered within 10 ms. */
const steady = (from: number, to: number): Sample[] =>
  Array.from({ length: (to - from) / 100 }, (_, index) => fresh(from + index * 100, 10))

describe('what clients see of a site', () => {
  it('is no gap worth telling when every request is answered', () => {
    const { requests, failed, gap, slowest, failures } = measure(steady(0, 1000), 0, 1000)
    assert.deepEqual([requests, failed, gap, slowest, failures], [10, 0, 100, 10, []])
  })

  it('has its longest gap where two answers in succession are furthest apart', () => {
    const samples = [...steady(0, 500), ...steady(1400, 2000), ...steady(2300, 3000)]
    const { gap, gapAt } = measure(samples, 0, 3000)
    assert.deepEqual([gap, gapAt], [1000, 410])
  })

  it('has no answer in a request that failed, whenever it did', () => {
    const failed = fresh(700, 200, { error: 'answered 503' })
    assert.equal(measure([...steady(0, 500), failed, ...steady(1400, 2000)], 0, 2000).gap, 1000)
  })

  it('counts an answer when it comes, in whatever order requests were sent', () => {
    const samples = [fresh(0, 900), fresh(100, 10), fresh(200, 10), fresh(1300, 10)]
    const { gap, gapAt } = measure(samples, 0, 1400)
    assert.deepEqual([gap, gapAt], [690, 210])
  })

  it('has a gap to the very end when nothing is answered any more, and from the beginning', () => {
    assert.deepEqual(measure(steady(0, 500), 0, 3000).gap, 2590)
    assert.deepEqual(measure(steady(2000, 3000), 0, 3000).gap, 2010)
    assert.deepEqual(measure([], 0, 3000).gap, 3000)
  })

  it('is of new connections; what goes over kept ones is told apart', () => {
    const kept = [
      fresh(600, 30, { kind: 'kept' }),
      fresh(700, 40, { kind: 'kept', again: true }),
      fresh(800, 50, { kind: 'kept', again: true, error: 'connection refused while connecting' }),
    ]
    const { requests, failed, gap, ...measured } = measure(
      [...steady(0, 500), ...kept, ...steady(1400, 2000)],
      0,
      2000,
    )
    assert.deepEqual([requests, failed, gap], [11, 0, 1000])
    assert.deepEqual(measured.kept, { requests: 3, again: 2, failed: 1, slowest: 50 })
    assert.deepEqual(measured.failures, [
      { reason: 'connection refused while connecting (kept connection)', count: 1, first: 800, last: 800 },
    ])
  })

  it('names the reason of every failed request, the most frequent first, with when they were sent', () => {
    const samples = [
      fresh(100, 5, { error: 'answered 503' }),
      fresh(250, 5, { error: 'connection ended while waiting for the answer' }),
      fresh(200, 5, { error: 'connection ended while waiting for the answer' }),
    ]
    assert.deepEqual(measure(samples, 0, 1000).failures, [
      { reason: 'connection ended while waiting for the answer', count: 2, first: 200, last: 250 },
      { reason: 'answered 503', count: 1, first: 100, last: 100 },
    ])
  })

  it('is a number of answered and of failed requests a second', () => {
    const samples = [...steady(1000, 2000), fresh(2500, 5, { error: 'answered 503' }), fresh(2600, 900)]
    assert.deepEqual(perSecond(samples, 1000, 3500), [
      { answered: 10, failed: 0 },
      { answered: 1, failed: 1 },
      { answered: 0, failed: 0 },
    ])
  })
})
