import { appendFileSync, readFileSync } from 'node:fs'
import Mocha from 'mocha'

/**
 * Mocha's own report, and as the last line the counts, plain: `N passed, N failed, N skipped`. Where there is a file
 * `BRAMBLE_TEST_COUNTS`, they are those of all runs that shared it so far.
 */
export default class Counted extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    process.once('exit', () => {
      const [passed, failed, skipped] = total(this.stats)
      console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    })
  }
}

function total({ passes, failures, pending }) {
  const file = process.env.BRAMBLE_TEST_COUNTS
  const own = [passes, failures, pending]
  if (file === undefined) return own
  appendFileSync(file, `${own.join(' ')}\n`)
  const runs = readFileSync(file, 'utf8').trim().split('\n')
  return runs.map((run) => run.split(' ').map(Number)).reduce((sum, run) => sum.map((n, i) => n + run[i]))
}
