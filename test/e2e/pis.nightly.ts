import assert from 'node:assert/strict'
import { labDown } from '../../src/lab/lab.ts'
import { generator, seed } from '../random.ts'
import { apply, changes, eventually, page, type Summary } from './cluster.ts'
import { disasters, disturbedRun, freshPis, stateOfAll, writtenByRerun } from './crash.ts'

const count = Number(process.env['BRAMBLE_PI_ROUNDS'] ?? 3)

describe(`virtual Pis (seed ${seed}, ${count} rounds)`, function () {
  this.timeout(90 * 60_000)
  const lot = generator(seed)
  let whole: Summary
  let expected: Record<string, string>

  after('leave nothing behind', () => labDown())

  it('are brought to the whole stack by a run that nothing disturbs', async () => {
    await freshPis()
    const { code, summary, stdout } = await apply()
    assert.equal(code, 0, stdout)
    whole = summary
    expected = await settled()
  })

  it('are not written to by a run that finds all as it should be', async () => {
    const none = Object.fromEntries(Object.keys(whole.hosts).map((name) => [name, []]))
    assert.deepEqual(await writtenByRerun(), none)
  })

  for (let round = 0; round < count; round += 1) {
    // Each kind in turn, from one that is drawn by lot.
    const disaster = disasters[(round + seed) % disasters.length] ?? 'the power is cut'
    it(`end where an undisturbed run does when, in the first one, ${disaster}, and it is run again`, async () => {
      const what = await disturbedRun(disaster, lot, whole)
      console.log(`      ${what}`)
      const again = await apply()
      assert.equal(again.code, 0, `${what}\n${again.stdout}\n${again.stderr}`)
      assert.deepEqual(await settled(), expected, what)
      const check = await apply('--check')
      assert.deepEqual([check.code, changes(check.events)], [0, {}], what)
    })
  }
})

/** What there is once all four web servers have answered through the virtual IP. */
async function settled(): Promise<Record<string, string>> {
  const answered = new Set<string>()
  await eventually('an answer from every web server', 120, async () => {
    answered.add((await page()).node)
    return answered.size === 4 ? true : undefined
  })
  return stateOfAll()
}
