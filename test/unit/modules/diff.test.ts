import assert from 'node:assert/strict'
import { replaced, unified } from '../../../src/modules/diff.ts'

describe('unified', () => {
  it('begins with the two names and shows three lines around a change', () => {
    const before = 'a\nb\nc\nd\ne\nf\n'
    const wanted = '--- /etc/x\n+++ /etc/x\n@@ -3,4 +3,4 @@\n c\n d\n e\n-f\n+g'
    assert.equal(unified('/etc/x', before, before.replace('f', 'g')), wanted)
  })

  it('compares a file that is not there with nothing', () => {
    assert.match(unified('/etc/x', undefined, 'a\n'), /^--- \/dev\/null\n\+\+\+ \/etc\/x\n.*\n\+a$/)
  })

  it('tells that only the last newline is missing', () => {
    assert.match(unified('/etc/x', 'a', 'a\n'), /No newline at end of file/)
  })
})

describe('replaced', () => {
  it('puts what is before what shall be', () => assert.equal(replaced('a', 'b'), '- a\n+ b'))
})
