import assert from 'node:assert/strict'
import { clean, clock, coloured, duration, paintDiff } from '../../../src/report/text.ts'

describe('text of reports', () => {
  it('gives times in the unit that suits', () => {
    const cases: [number, string][] = [
      [0, '0.0 s'],
      [1449, '1.4 s'],
      [9949, '9.9 s'],
      [9950, '10 s'],
      [59_600, '1 min 00 s'],
      [185_000, '3 min 05 s'],
      [3_720_000, '1 h 02 min'],
    ]
    for (const [ms, text] of cases) assert.equal(duration(ms), text)
  })

  it('gives running times in a steady width', () => {
    assert.deepEqual([-5, 42_999, 725_000, 3_725_000].map(clock), ['0:00', '0:42', '12:05', '1:02:05'])
  })

  it('takes out what would steer the terminal and leaves tabs, line feeds and other writings', () => {
    assert.equal(
      clean('a\u001B[31mb\u001B]0;title\u0007c\r\n\td\u0008\u009B2J ü … 日本'),
      'abc\n\td ü … 日本',
    )
  })

  it('colours the lines of a diff', () => {
    assert.equal(
      paintDiff('--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n', coloured),
      '\u001B[1m--- a\u001B[22m\n\u001B[1m+++ b\u001B[22m\n\u001B[36m@@ -1 +1 @@\u001B[39m\n' +
        '\u001B[31m-x\u001B[39m\n\u001B[32m+y\u001B[39m\n z',
    )
  })
})
