import assert from 'node:assert/strict'
import {
  figure,
  longestGap,
  longestWait,
  noneFailed,
  onlyMirrored,
  servedAgain,
  type Bound,
  type Recorded,
} from '../../../src/drill/bounds.ts'
import type { Sample } from '../../../src/drill/measure.ts'

const sample = (at: number, more: Partial<Sample> = {}): Sample => ({
  kind: 'new',
  url: 'http://site/',
  at,
  ms: 10,
  ...more,
})
/** Something is away from 1 s to 5 s, and the virtual IP to 7.5 s, of ten seconds. */
const recorded = (samples: Sample[]): Recorded => ({
  samples,
  began: 0,
  ended: 10_000,
  marks: [
    { at: 500, what: 'out of service', kind: 'note', hosts: [] },
    { at: 1000, what: 'power of rpi1 cut', kind: 'down', hosts: ['rpi1'] },
    { at: 5000, what: 'power of rpi1 back', kind: 'back', hosts: [] },
    { at: 7500, what: 'virtual IP returns to rpi1', kind: 'return', hosts: [] },
  ],
  figures: { 'new content seen': 7.5 },
})
const every = (from: number, to: number, more: Partial<Sample> = {}) =>
  Array.from({ length: (to - from) / 100 }, (_, index) => sample(from + index * 100, more))
const failed = { error: 'answered 503' }

const cases: [title: string, bound: Bound, samples: Sample[], found: number | undefined, what: string][] = [
  [
    'the longest gap of a whole drill',
    longestGap(1500),
    [...every(0, 2000), ...every(3000, 10_000)],
    1100,
    'longest gap',
  ],
  [
    'the longest gap as the virtual IP returns, not of all the time that something is back',
    longestGap(500, { from: 'return' }),
    [...every(0, 2000), ...every(2700, 6000), ...every(7000, 8000), ...every(8300, 10_000)],
    400,
    'longest gap as the virtual IP returns',
  ],
  [
    'failed requests, those over kept connections too',
    noneFailed(),
    [sample(100, failed), sample(9000, { ...failed, kind: 'kept' })],
    2,
    'failed',
  ],
  [
    'failed requests from two seconds after it went on',
    noneFailed({ from: 'down', after: 2000 }),
    [sample(2900, failed), sample(3000, failed)],
    1,
    'failed from 2 s on',
  ],
  [
    'failed requests that were under way when it began',
    noneFailed({ from: 'down' }),
    [sample(950, { ms: 60, ...failed }), sample(900, { ms: 60, ...failed })],
    1,
    'failed',
  ],
  [
    'the longest wait, be it for an answer or for nothing',
    longestWait(2500),
    [sample(0, { ms: 1200 }), sample(100, { ms: 10_000, ...failed })],
    10_000,
    'longest wait',
  ],
  [
    'the longest wait, be it over a kept connection',
    longestWait(2500),
    [sample(0, { ms: 1200 }), sample(100, { ms: 9000, kind: 'kept' })],
    9000,
    'longest wait',
  ],
  [
    'how long it takes after the share is back until all others have answered from it',
    servedAgain(10),
    [
      ...every(1000, 6000, { content: 'mirror', node: 'rpi2' }),
      ...every(5000, 8200, { content: 'mirror', node: 'rpi3' }),
      ...every(6000, 9000, { content: 'nfs', node: 'rpi2' }),
      ...every(8200, 9000, { content: 'nfs', node: 'rpi3' }),
      // It is the one that was away, and takes its time.
      ...every(9000, 9900, { content: 'mirror', node: 'rpi1' }),
    ],
    3.21,
    'share served again',
  ],
  [
    'nothing where a mirror answers to the end',
    servedAgain(10),
    [
      ...every(5000, 9000, { content: 'nfs', node: 'rpi2' }),
      ...every(5000, 9900, { content: 'mirror', node: 'rpi3' }),
    ],
    undefined,
    'share served again',
  ],
  [
    'answers that no mirror gave while the share was away',
    onlyMirrored({ from: 'down', after: 1000, until: 'back' }),
    [
      ...every(0, 2000, { content: 'nfs' }),
      ...every(2000, 4000, { content: 'mirror' }),
      sample(4400, { content: 'nfs', node: 'rpi1' }),
      sample(4500, { content: 'nfs', node: 'rpi2' }),
      sample(4600),
      ...every(5000, 6000, { content: 'nfs' }),
    ],
    2,
    'answers not from a mirror from 1 s on while it is away',
  ],
  ['a figure of its own', figure('new content seen', 10), [], 7.5, 'new content seen'],
  ['a figure that it never came to', figure('serves again', 10), [], undefined, 'serves again'],
]

describe('a bound of a drill', () => {
  for (const [title, bound, samples, found, what] of cases) {
    it(`finds ${title}`, () => {
      assert.equal(bound.find(recorded(samples)), found)
      assert.equal(bound.what, what)
    })
  }
})
