import Mocha from 'mocha'

/** Mocha's own report, and as the last line the counts, plain: `N passed, N failed, N skipped`. */
export default class Counted extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    process.once('exit', () => {
      const { passes, failures, pending } = this.stats
      console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`)
    })
  }
}
