import assert from 'node:assert/strict'
import { applyPatch } from 'diff'
import { replaced, unified } from '../../../src/modules/diff.ts'

/** As git does it: a name with odd characters stands in quotes. */
const shown = (path: string) => (path.includes('\n') ? JSON.stringify(path) : path)

const rewritten = (letter: string) =>
  Array.from({ length: 20_000 }, (_, line) => `${letter}${line}\n`).join('')

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

  const odd: [what: string, path: string, before: string, after: string, ends: string][] = [
    ['blanks at the end of the last line', '/etc/x', 'a\n', 'a \t\n', '@@\n-a\n+a \t'],
    ['a last line of blanks', '/etc/x', 'a\n', 'a\n  \n', '@@\n a\n+  '],
    ['a carriage return at the end', '/etc/x', 'a\nb\n', 'a\r\nb\n', '@@\n-a\n+a\r\n b'],
    ['a path with the beginning of a header in it', '/etc/--- x', 'a\n', 'b\n', '-a\n+b'],
    ['a path of two lines', '/etc/x\ny', 'a\n', 'b\n', '-a\n+b'],
  ]
  for (const [what, path, before, after, ends] of odd) {
    it(`shows ${what}`, () => {
      const diff = unified(path, before, after)
      assert.ok(diff.endsWith(ends), diff)
      assert.deepEqual(diff.split('\n').slice(0, 2), [`--- ${shown(path)}`, `+++ ${shown(path)}`])
      assert.equal(applyPatch(before, diff, { autoConvertLineEndings: false }), after)
    })
  }

  it('shows a file of which all has changed as replaced, in no time', () => {
    const start = performance.now()
    const diff = unified('/etc/x', rewritten('a'), rewritten('b'))
    assert.ok(performance.now() - start < 5000)
    assert.equal(applyPatch(rewritten('a'), diff), rewritten('b'))
  })
})

describe('replaced', () => {
  it('puts what is before what shall be', () => assert.equal(replaced('a', 'b'), '- a\n+ b'))
})
