import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { array, assert as check, property, string } from 'fast-check'
import { lines, quote, raw, sh } from '../../../src/playbook/sh.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { seed } from '../../random.ts'

const echo = (text: string) => spawnSync('/bin/sh', ['-c', text], { encoding: 'utf8' }).stdout

describe('sh`…`', () => {
  it('quotes each value as one word, and an array as several', () => {
    assert.equal(sh`install -m ${'0755'} -- ${'/srv/my share'}`.text, "install -m 0755 -- '/srv/my share'")
    assert.equal(sh`rm -- ${['a b', '-c', "it's"]}`.text, String.raw`rm -- 'a b' -c 'it'\''s'`)
    assert.equal(sh`exit ${3}`.text, 'exit 3')
  })

  it('puts other shell text in as it is', () => {
    assert.equal(
      sh`if ${raw('[ -e "$x" ]')}; then ${lines(sh`a`, sh`b`)}; fi`.text,
      'if [ -e "$x" ]; then a\nb; fi',
    )
  })

  it('reveals a secret to the host only', () => {
    assert.equal(sh`login ${new Secret('pa ss')}`.text, "login 'pa ss'")
  })

  it('refuses an escape that JavaScript would swallow, instead of cutting the text off', () => {
    assert.throws(() => sh`sed s/\(a\)/\1/ ${'x'}`, /write the backslash twice/)
  })

  it('refuses a NUL byte, which no word can hold', () => {
    assert.throws(() => sh`echo ${'a\0b'}`, /NUL/)
  })

  it('refuses half a character, which would arrive as another', () => {
    assert.throws(() => sh`echo ${'half a 🍇: \uD83C'}`, /half a character/)
  })

  it('brings any text to a real shell as itself', function () {
    this.timeout(60_000)
    const text = string({ unit: 'grapheme' }).filter((one) => !one.includes('\0'))
    check(
      property(array(text, { minLength: 20, maxLength: 40 }), (words) => {
        assert.equal(echo(sh`printf '%s\\n' ${words}`.text), words.map((word) => `${word}\n`).join(''))
      }),
      { numRuns: 80, seed },
    )
  })

  it('quotes what a shell would take for its own', () => {
    for (const word of ['', '~', '*', '$x', '`id`', 'a;b', '#', '!', '\\', '\n', '-n', '{a,b}']) {
      assert.equal(echo(`printf %s ${quote(word)}`), word)
    }
  })
})
