import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allWell, concluded, writeReport } from '../../../src/cli/drill-outcome.ts'
import { skippedDrill, type DrillsResult } from '../../../src/drill/result.ts'
import { BrambleError, ConnectionError } from '../../../src/errors.ts'

const skipped = skippedDrill({ name: 'vip-power', title: 'Power' }, 'it needs somebody')
const result = (ok: boolean): DrillsResult => ({
  ok,
  time: '2026-11-24T08:15:02.000Z',
  url: 'http://10.77.0.200/',
  lab: null,
  drills: [
    skipped,
    {
      ...skipped,
      name: 'haproxy-kill',
      skipped: null,
      log: [{ at_s: 1, host: 'rpi1', service: 'haproxy', text: 'Loading success.' }],
    },
  ],
})

describe('what came of drills', () => {
  const cases: [
    what: string,
    code: number,
    ok: boolean,
    failure?: BrambleError | undefined,
    interrupted?: true,
  ][] = [
    ['all bounds kept', 0, true],
    ['a bound missed', 2, false],
    ['a cluster that is not whole', 2, false, new BrambleError('the cluster is not whole')],
    ['no host reached', 4, false, new ConnectionError('no host could be reached')],
    ['an interruption', 130, false, undefined, true],
  ]
  for (const [what, code, ok, failure, interrupted = false] of cases) {
    it(`is told by ${code} for ${what}`, () => {
      assert.equal(concluded(result(ok), failure, interrupted), code)
    })
  }

  it('is well where all that was asked for was run, within its bounds, on a cluster that is as before', () => {
    const [one = skipped] = result(true).drills.slice(1)
    assert.equal(allWell([one, skipped], 2), true)
    assert.equal(allWell([one], 2), false)
    assert.equal(allWell([one, { ...one, ok: false }], 2), false)
    assert.equal(allWell([{ ...one, as_before: false }, one], 2), false)
  })

  it('is left as a report, its picture, its figures, and a log for each drill that was run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bramble-drills-'))
    try {
      assert.equal(writeReport(result(true), folder), folder)
      const files = ['availability.svg', 'drills.json', 'haproxy-kill.log', 'report.md']
      assert.deepEqual(readdirSync(folder).toSorted(), files)
      const [svg = '', json = '', log, report = ''] = files.map((name) =>
        readFileSync(join(folder, name), 'utf8'),
      )
      assert.match(svg, /^<svg /)
      assert.deepEqual(JSON.parse(json), result(true))
      assert.equal(log, '    1.00 s  rpi1 haproxy: Loading success.\n')
      assert.match(report, /\| skipped: it needs somebody \|/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
