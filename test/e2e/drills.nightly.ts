import assert from 'node:assert/strict'
import { catalogue } from '../../src/drill/catalogue.ts'
import { labDown, labUp } from '../../src/lab/lab.ts'
import { plain } from '../../src/report/text.ts'
import { resultLines } from '../../src/drill/text.ts'
import { apply, drills } from './cluster.ts'

describe('a drill on virtual Pis', function () {
  this.timeout(60 * 60_000)

  before('set up the cluster', async () => {
    await labDown()
    await labUp({ count: 4 }, (line) => console.log(`      ${line}`))
    const { code, stdout } = await apply()
    assert.equal(code, 0, stdout)
  })

  after('leave nothing behind', () => labDown())

  for (const { name, title } of catalogue) {
    it(`keeps its bounds, and the cluster ends as it began: ${name}, ${title}`, async () => {
      const { code, result, stderr } = await drills(name)
      for (const drill of result.drills) console.log(resultLines(drill, plain).join('\n'))
      assert.equal(code, 0, stderr)
    })
  }
})
