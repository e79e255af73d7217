import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { link } from '../../../src/modules/link.ts'
import { converge, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => link({ path: '/etc/localtime', target: '/usr/share/zoneinfo/UTC' })

describe('link', () => {
  table([
    { title: 'is made where there is none', make, seen: 'absent\n', expect: 'change', diff: '- absent' },
    { title: 'is left alone when it is so', make, seen: 'link\n/usr/share/zoneinfo/UTC', expect: 'ok' },
    {
      title: 'is turned to its target',
      make,
      seen: 'link\n/other',
      expect: 'change',
      diff: '- link to /other',
    },
    {
      title: 'does not take a newline for the end of the target',
      make,
      seen: 'link\n/usr/share/zoneinfo/UTC\n',
      expect: 'change',
    },
    {
      title: 'does not replace a file',
      make,
      seen: 'other\n',
      expect: 'error',
      error: /not a symbolic link/,
    },
  ])

  for (const target of ['a\0b', 'half a 🍇: \uD83C']) {
    it(`refuses ${JSON.stringify(target)}, which no path can hold`, () =>
      assert.throws(() => link({ path: '/a', target }), InputError))
  }

  it('refuses an empty target', () => assert.throws(() => link({ path: '/a', target: '' }), InputError))

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()
      for (const name of ['plain', 'two words', "it's", '-s', '$(x)', 'ü', 'new\nline\n']) {
        it(`is made, turned and clean, under the name and to the target ${JSON.stringify(name)}`, () => {
          const path = join(directory.path, name)
          converge(link({ path, target: 'elsewhere' }), shell)
          converge(link({ path, target: name }), shell)
          assert.equal(readlinkSync(path), name)
          rmSync(path)
          assert.deepEqual(readdirSync(directory.path), [])
        })
      }

      it('replaces a link to a directory, and puts nothing into the directory', () => {
        const path = join(directory.path, 'link')
        symlinkSync(directory.path, path)
        converge(link({ path, target: 'file' }), shell)
        writeFileSync(join(directory.path, 'file'), '')
        assert.ok(lstatSync(path).isSymbolicLink())
        assert.deepEqual(readdirSync(directory.path), ['file', 'link'])
      })
    })
  }
})
