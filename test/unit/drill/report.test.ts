import assert from 'node:assert/strict'
import { drillPicture } from '../../../src/drill/picture.ts'
import { drillReport, drillTable } from '../../../src/drill/report.ts'
import { skippedDrill, type DrillResult, type DrillsResult } from '../../../src/drill/result.ts'
import { logText, resultLines, summaryLine } from '../../../src/drill/text.ts'
import { plain } from '../../../src/report/text.ts'

const well: DrillResult = {
  name: 'vip-power',
  title: 'Power of the holder cut',
  ok: true,
  skipped: null,
  error: null,
  requests: 2400,
  failed: 1,
  longest_gap_ms: 914,
  gap_at_s: 0.02,
  longest_wait_ms: 1043,
  kept: { requests: 400, again: 2, failed: 0, slowest: 700 },
  redundant_s: 81.5,
  as_before: true,
  figures: {},
  bounds: [{ what: 'longest gap', limit: 1500, unit: 'ms', found: 914, ok: true }],
  failures: [
    { reason: 'nothing for 10 s while waiting for the answer', count: 1, first_s: -0.01, last_s: -0.01 },
  ],
  log: [{ at_s: 0.854, host: 'rpi2', service: 'keepalived', text: '(web) Entering MASTER STATE' }],
  marks: [
    { at_s: 0, what: 'power of rpi1 cut', kind: 'down' },
    { at_s: 12.4, what: 'power of rpi1 back', kind: 'back' },
    { at_s: 93.9, what: 'whole again', kind: 'note' },
  ],
  from_s: -5,
  per_second: [
    [20, 0],
    [20, 0],
    [15, 5],
    [0, 20],
    [20, 0],
  ],
}
const bad: DrillResult = {
  ...well,
  name: 'nfs-hang',
  title: 'Fish & <chips>',
  ok: false,
  error: 'waited in vain for the cluster to be whole again\n  expected: within 900 s',
  redundant_s: null,
  as_before: false,
  figures: { 'new content seen': 12.34 },
  bounds: [
    { what: 'failed', limit: 0, unit: '', found: 3, ok: false },
    { what: 'new content seen', limit: 10, unit: 's', found: 12.34, ok: false },
    { what: 'serves again', limit: 600, unit: 's', found: null, ok: false },
  ],
  failures: [],
}
const all: DrillsResult = {
  ok: false,
  time: '2026-11-24T08:15:02.000Z',
  url: 'http://10.77.0.200/',
  lab: 'amd64, software emulation',
  drills: [well, bad, skippedDrill({ name: 'all-off', title: 'All off' }, 'it needs somebody')],
}

describe('the report on drills', () => {
  it('has a row a drill: what was asked of it, and what it came to', () => {
    const rows = drillTable(all)
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .slice(2, -2)
          .split(/\s+\| /)
          .map((cell) => cell.trim()),
      )
    assert.deepEqual(rows, [
      ['drill', 'requests', 'failed', 'longest gap', 'bounds', 'full redundancy after'],
      rows[1],
      [
        'Power of the holder cut',
        '2400',
        '1',
        '914 ms',
        '✔ longest gap: 914 ms (at most 1500 ms)',
        '1 min 22 s',
      ],
      [
        'Fish & <chips>',
        '2400',
        '1',
        '914 ms',
        '✖ failed: 3 (none)<br>✖ new content seen: 12.3 s (at most 10 s)<br>✖ serves again: never (at most 600 s)<br>✖ did not end as it began',
        'never',
      ],
      ['All off', '', '', '', 'skipped: it needs somebody', ''],
    ])
  })

  it('tells where and how it was measured, and the reason of every failed request with when', () => {
    const text = drillReport(all, 'availability.svg')
    assert.match(
      text,
      /^# Availability\n\nMeasured on virtual Pis \(amd64, software emulation\) by `bramble drill`, 2026-11-24\.\n/,
    )
    assert.match(text, /!\[.+\]\(availability\.svg\)/)
    assert.match(text, /4 of their 800 requests met a connection that had ended/)
    assert.match(text, /^- 12\.4 s: power of rpi1 back$/m)
    assert.match(text, /^- 1 failed: nothing for 10 s while waiting for the answer; sent at -0\.01 s$/m)
    assert.match(text, /^waited in vain for the cluster to be whole again\n {2}expected: within 900 s$/m)
    assert.match(
      drillReport({ ...all, lab: null }, 'a.svg'),
      /Measured on the cluster at http:\/\/10\.77\.0\.200\/ by/,
    )
  })

  it('has what the load balancers logged beside it, on the same time line', () => {
    assert.match(
      drillReport(all, 'a.svg'),
      /^`bramble drill vip-power`: .+: \[vip-power\.log\]\(vip-power\.log\)\.$/m,
    )
    assert.equal(logText(well), '    0.85 s  rpi2 keepalived: (web) Entering MASTER STATE\n')
  })

  it('is the same in a terminal', () => {
    assert.deepEqual(resultLines(well, plain), [
      '  2400 requests, 1 failed, longest gap 914 ms, longest wait 1043 ms',
      '  kept connections: 400 requests, 2 sent again, 0 failed',
      '  full redundancy after 1 min 22 s; the cluster ended as it began',
      '  1 failed: nothing for 10 s while waiting for the answer (sent -0.01 to -0.01 s after)',
      '  ✔ longest gap: 914 ms, at most 1500 ms',
    ])
    assert.deepEqual(resultLines(bad, plain).slice(2), [
      '  full redundancy never; the cluster did not end as it began',
      '  new content seen after 12.3 s',
      '  ✖ failed: 3, at most 0',
      '  ✖ new content seen: 12.3 s, at most 10 s',
      '  ✖ serves again: never, at most 600 s',
      '  ✖ waited in vain for the cluster to be whole again\n    expected: within 900 s',
    ])
    assert.equal(summaryLine(all, plain), '2 drills run, 1 skipped: not as it should be: nfs-hang')
    const ended = { ...all, drills: all.drills.filter(({ ok }) => ok) }
    assert.equal(summaryLine(ended, plain), '1 drill run, 1 skipped: the others have not been run')
    const moved = { ...all, drills: ended.drills.map((drill) => ({ ...drill, as_before: false })) }
    assert.match(summaryLine(moved, plain), /: not as it should be: \w/)
    assert.equal(summaryLine({ ...all, ok: true, drills: [well] }, plain), '1 drill run: all bounds kept')
  })
})

describe('the picture of availability', () => {
  it('is well-formed, with a row for each drill that was run', () => {
    const svg = drillPicture(all)
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 860 244"/)
    assert.match(svg, />Fish &amp; &lt;chips&gt;</)
    assert.doesNotMatch(svg, /NaN|undefined|All off/)
  })

  it('has a green bar as high as the share of answers, a red one above it, and the longest gap in red', () => {
    const svg = drillPicture({ drills: [well] })
    const boxes = [
      ...svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="([\d.]+)" fill="(\S+)"\/>/g),
    ]
      .map(([, x, width, height, fill]) => [Number(x), Number(width), Number(height), fill])
      .slice(2)
    assert.deepEqual(boxes, [
      [10, 336, 44, '#2e9e5b'],
      [346, 168, 33, '#2e9e5b'],
      [346, 168, 11, '#d1453b'],
      [514, 168, 0, '#2e9e5b'],
      [514, 168, 44, '#d1453b'],
      [682, 168, 44, '#2e9e5b'],
      [853.36, 153.55, 44, '#d1453b'],
    ])
  })
})
