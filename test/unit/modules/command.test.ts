import assert from 'node:assert/strict'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { command } from '../../../src/modules/command.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { converge, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () =>
  command({ title: 'key', run: sh`generate ${new Secret('hunter2-x')}`, creates: '/etc/key' })

const rests = (path: string) =>
  command({ title: 'restart', run: sh`true`, unless: sh`true`, restsOn: [path] })

describe('command', () => {
  table([
    { title: 'is not run when it is already so', make, seen: '', expect: 'ok' },
    {
      title: 'is run when it is not so, and its secrets are not shown',
      make,
      seen: { code: 1, stdout: '' },
      expect: 'change',
      diff: /^\+ generate \*\*\*$/,
      apply: 'hunter2-x',
    },
  ])

  it('takes whole paths only for what it rests on', () => {
    assert.deepEqual(rests('/etc/docker').restsOn, ['/etc/docker'])
    assert.throws(() => rests('daemon.json'), InputError)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()

      it('is run once, by what it creates', () => {
        const path = join(directory.path, "it's\n-x")
        converge(command({ title: 'touch', run: sh`touch -- ${path}`, creates: path }), shell)
      })

      it('is run once, by what it asks', () => {
        const path = join(directory.path, 'b')
        converge(
          command({ title: 'touch', run: sh`echo a >${path}`, unless: sh`grep -x a ${path} # so?` }),
          shell,
        )
      })
    })
  }
})
