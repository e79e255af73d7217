import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { block } from '../../../src/modules/block.ts'
import { converge, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const seen = (text: string): string => `:there\n81a4 0 0 root root ${Buffer.byteLength(text)}\n${text}`
const marker = '# {mark} bramble'
const marked = (text: string): string => `# BEGIN bramble\n${text}# END bramble\n`

describe('block', () => {
  const path = '/etc/hosts'
  const make = () => block({ path, marker, block: 'one\ntwo' })
  const gone = () => block({ path, marker, block: '', state: 'absent' })
  table([
    {
      title: 'is appended with its markers',
      make,
      seen: seen('a\n'),
      expect: 'change',
      apply: `'a\n${marked('one\ntwo\n')}'`,
    },
    {
      title: 'is left alone when it is there',
      make,
      seen: seen(`a\n${marked('one\ntwo\n')}b\n`),
      expect: 'ok',
    },
    {
      title: 'is replaced where it is',
      make,
      seen: seen(`a\n${marked('x\n')}b\n`),
      expect: 'change',
      diff: ' # BEGIN bramble\n-x\n+one\n+two\n # END bramble\n b',
    },
    {
      title: 'is removed with its markers',
      make: gone,
      seen: seen(`a\n${marked('x\n')}b\n`),
      expect: 'change',
      apply: `'a\nb\n'`,
    },
    { title: 'that shall be absent and is, is fine', make: gone, seen: seen('a'), expect: 'ok' },
    {
      title: 'does not guess where it ends',
      make,
      seen: seen('# BEGIN bramble\na\n'),
      expect: 'error',
      error: /one marker/,
    },
    {
      title: 'does not guess where it begins',
      make,
      seen: seen('a\n# END bramble\n'),
      expect: 'error',
      error: /one marker/,
    },
    {
      title: 'is promised for a file that is not there yet',
      make,
      seen: ':absent\n',
      expect: 'change',
      diff: '- no file',
      apply: 'exit 1',
    },
    {
      title: 'makes the file if it may',
      make: () => block({ path, block: 'a', create: true }),
      seen: ':absent\n',
      expect: 'change',
      diff: '+a',
    },
  ])

  it('refuses what is no text', () => {
    assert.throws(() => block({ path, block: 'a\0b' }), InputError)
    assert.throws(() => block({ path, block: 'a', marker: '\uFFFD {mark}' }), InputError)
  })

  it('refuses a marker that cannot mark', () => {
    assert.throws(() => block({ path, block: 'a', marker: '# bramble' }), InputError)
    assert.throws(() => block({ path, block: 'a\n# END bramble\nb', marker }), InputError)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()

      it('changes, then is clean, is put back when it drifts, and goes', () => {
        const file = join(directory.path, 'ho sts')
        writeFileSync(file, 'before\n')
        const one = block({ path: file, marker, block: `'$(id)'\n` })
        converge(one, shell)
        writeFileSync(file, readFileSync(file, 'utf8').replace('id', 'drift').concat('after\n'))
        converge(one, shell)
        assert.equal(readFileSync(file, 'utf8'), `before\n${marked(`'$(id)'\n`)}after\n`)
        converge(block({ path: file, marker, block: '', state: 'absent' }), shell)
        assert.equal(readFileSync(file, 'utf8'), 'before\nafter\n')
      })
    })
  }
})
