import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { sh } from '../../../src/playbook/sh.ts'
import { LocalSession } from '../engine/local-session.ts'
import { ensureShell, patience, runs, seed, shells } from './settings.ts'
import { text } from './texts.ts'

const batch = 50

for (const shell of shells) {
  describe(`any text in sh\`…\`, run by ${shell}`, () => {
    before(() => ensureShell(shell))

    it(`arrives as itself, wherever it is put (seed ${seed})`, async function () {
      this.timeout(patience(20_000))
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: batch, maxLength: batch }), async (words) => {
          const [first = ''] = words
          const script = sh`one=${first}
printf '%s\\0' "$one"
for each in ${words}; do printf '%s\\0' "$each"; done
list() { printf '%s\\0' "$@"; }
list ${words}
list ${first}
case ${first} in ${first}) list same;; *) list other;; esac
/usr/bin/printf '%s\\0' ${words}`
          const session = new LocalSession({ shell })
          const { answers } = await session.run([script.text], 60).finally(() => session.close())
          const expected = [first, ...words, ...words, first, 'same', ...words]
          assert.equal(answers[0]?.stderr, '')
          assert.deepEqual(answers[0].stdout.split('\0'), [...expected, ''])
        }),
        runs(1, batch),
      )
    })
  })
}
