import assert from 'node:assert/strict'
import original from 'string-width'
import stringWidth from '../../../src/report/string-width.ts'

describe('the width of a text in a terminal', () => {
  for (const text of [
    '',
    'rpi1',
    'Größe',
    'Gro\u0308\u00dfe',
    '日本語',
    '\u001b[32mok\u001b[39m',
    '✔ ─│',
    'ﾊﾝｶｸ',
    'a\u200bb',
  ])
    it(`is what string-width says: ${JSON.stringify(text)}`, () => {
      assert.equal(stringWidth(text), original(text))
    })
})
