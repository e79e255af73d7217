import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { reboot } from '../../../src/modules/reboot.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { plan, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => reboot({ reason: 'new kernel' })

describe('reboot', () => {
  table([
    { title: 'is not done when it is not needed', make, seen: { code: 1, stdout: '' }, expect: 'ok' },
    { title: 'is done when it is needed', make, seen: '', expect: 'change', diff: '+ reboot: new kernel' },
    {
      title: 'is not done on a guess',
      make,
      seen: { code: 127, stdout: '' },
      expect: 'error',
      error: /cannot tell/,
    },
  ])

  it('tells that the connection goes away', () =>
    assert.equal(make().plan({ code: 0, stdout: '' })?.reboots, true))

  it('refuses a mark that outlives it', () => {
    assert.throws(() => reboot({ reason: 'x', marker: '/var/lib/mark' }), InputError)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()

      it('asks the command that it was given', () => {
        const path = join(directory.path, 'cmdline')
        const one = reboot({
          reason: 'memory cgroup',
          needed: sh`! grep -q memory ${path} # as the kernel was told`,
        })
        writeFileSync(path, 'quiet')
        assert.ok(plan(one, shell))
        writeFileSync(path, 'quiet cgroup_enable=memory')
        assert.equal(plan(one, shell), undefined)
      })
    })
  }
})
