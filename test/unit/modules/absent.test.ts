import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { absent } from '../../../src/modules/absent.ts'
import { converge, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => absent({ path: '/etc/default/x' })

describe('absent', () => {
  table([
    { title: 'is so when there is nothing', make, seen: 'absent\n', expect: 'ok' },
    { title: 'removes what is there', make, seen: 'present\n', expect: 'change', diff: '- /etc/default/x' },
    { title: 'does not take silence for absence', make, seen: { code: 255, stdout: '' }, expect: 'error' },
  ])

  for (const path of ['/', '/etc', '/etc/', '//', '/etc/..', '/a/../b/c', 'a/b', '']) {
    it(`refuses to remove ${JSON.stringify(path)}`, () => assert.throws(() => absent({ path }), InputError))
  }

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()
      const at = (name: string): string => join(directory.path, name)

      it('removes a directory with what is in it, and a link but not its target', () => {
        mkdirSync(at("it's -d"))
        writeFileSync(at('file'), '')
        symlinkSync(at('file'), at("it's -d/$(link)"))
        symlinkSync('nowhere', at('broken\n'))
        converge(absent({ path: at("it's -d/$(link)") }), shell)
        converge(absent({ path: at("it's -d") }), shell)
        converge(absent({ path: at('broken\n') }), shell)
        assert.ok(existsSync(at('file')))
      })
    })
  }
})
