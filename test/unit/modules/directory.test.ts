import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { directory } from '../../../src/modules/directory.ts'
import { converge, ME, plan, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => directory({ path: '/srv/share', owner: 'www-data', group: 'www-data', mode: '2775' })

describe('directory', () => {
  table([
    {
      title: 'is made where there is none',
      make,
      seen: ':absent\n',
      expect: 'change',
      diff: '- absent\n+ directory',
    },
    {
      title: 'is left alone when it is so',
      make,
      seen: ':there\n45fd 33 33 www-data www-data 4096\n',
      expect: 'ok',
    },
    {
      title: 'gets its owner',
      make,
      seen: ':there\n45fd 0 0 root root 4096\n',
      expect: 'change',
      apply: /^chown www-data:www-data .* && chmod 02775/,
    },
    {
      title: 'gets its mode',
      make,
      seen: ':there\n41ed 33 33 www-data www-data 4096\n',
      expect: 'change',
      diff: 'mode 0755\n+ owner www-data:www-data mode 2775',
    },
    {
      title: 'does not replace a file',
      make,
      seen: ':there\n81a4 0 0 root root 4\n',
      expect: 'error',
      error: /not a directory/,
    },
    {
      title: 'does not follow a link that leads nowhere',
      make,
      seen: ':link\n',
      expect: 'error',
      error: /not a directory/,
    },
  ])

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const base = temporary()

      it('is made with those above it, then is clean, and gets its mode back', () => {
        const path = join(base.path, "a b/it's/$(x)\n-d")
        const one = directory({ ...ME, path, mode: '0750' })
        converge(one, shell)
        assert.equal(lstatSync(join(base.path, 'a b')).mode & 0o777, 0o755)
        chmodSync(path, 0o2777)
        converge(one, shell)
        assert.equal(lstatSync(path).mode & 0o7777, 0o750)
      })

      it('may be a link to one', () => {
        mkdirSync(join(base.path, 'real'), { mode: 0o755 })
        symlinkSync('real', join(base.path, 'link'))
        assert.equal(plan(directory({ ...ME, path: join(base.path, 'link') }), shell), undefined)
      })
    })
  }
})
