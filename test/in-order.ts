import type { Suite } from 'mocha'

/**
 * Skips what is left of a suite after a test of it has failed: its tests go on from each other. Mocha's own `bail` also
 * leaves out, without a word, a suite that comes after a failure anywhere else.
 *
 * @example describe('one host, step by step', function () { inOrder(this); … })
 */
export function inOrder(suite: Suite): void {
  let failed = false
  suite.afterEach(function () {
    failed ||= this.currentTest?.state === 'failed'
  })
  suite.beforeEach(function () {
    if (failed) this.skip()
  })
}
