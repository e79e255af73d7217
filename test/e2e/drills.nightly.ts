import assert from 'node:assert/strict'
import { catalogue } from '../../src/drill/catalogue.ts'
import { labDown, labUp } from '../../src/lab/lab.ts'
import { plain } from '../../src/report/text.ts'
import { resultLines } from '../../src/drill/text.ts'
import { apply, drills } from './cluster.ts'

describe('drill --all on virtual Pis', function () {
  this.timeout(120 * 60_000)
  let ran: Awaited<ReturnType<typeof drills>>

  before('set up the cluster, and run them', async () => {
    await labDown()
    await labUp({ count: 4 }, (line) => console.log(`      ${line}`))
    const { code, stdout } = await apply()
    assert.equal(code, 0, stdout)
    ran = await drills('--all')
    for (const drill of ran.result.drills) console.log(resultLines(drill, plain).join('\n'))
    console.log(ran.stderr)
  })

  after('leave nothing behind', () => labDown())

  for (const { name, title } of catalogue) {
    it(`keeps its bounds, and the cluster ends as it began: ${name}, ${title}`, () => {
      const drill = ran.result.drills.find((one) => one.name === name)
      assert.ok(drill, 'it was not run')
      assert.equal(drill.skipped, null)
      assert.ok(drill.ok && drill.as_before, resultLines(drill, plain).join('\n'))
    })
  }

  it('says so by its exit code', () => {
    assert.equal(ran.code, 0, ran.stderr)
  })
})
