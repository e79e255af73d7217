import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { kernelModule } from '../../../src/modules/kernel-module.ts'
import { run, SHELLS } from './local.ts'
import { table } from './table.ts'

const make = () => kernelModule({ name: 'br-netfilter' })

describe('kernelModule', () => {
  table([
    {
      title: 'is content when it is loaded, now and at boot',
      make,
      seen: 'loaded\nbr_netfilter\n',
      expect: 'ok',
    },
    {
      title: 'is content when it is built in',
      make: () => kernelModule({ name: 'x', persist: false }),
      seen: 'builtin\n',
      expect: 'ok',
    },
    {
      title: 'is loaded, now and at boot',
      make,
      seen: 'absent\n',
      expect: 'change',
      diff: '- br_netfilter not loaded, not loaded at boot',
      apply: /^modprobe br_netfilter\n[^]*\/etc\/modules-load\.d\/bramble-br_netfilter\.conf/,
    },
    {
      title: 'is loaded only now',
      make: () => kernelModule({ name: 'x', persist: false }),
      seen: 'absent\n',
      expect: 'change',
      apply: /^modprobe x$/,
    },
    {
      title: 'is loaded only at boot',
      make,
      seen: 'loaded\n',
      expect: 'change',
      diff: '- br_netfilter not loaded at boot',
    },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  it('refuses a name that is none', () => assert.throws(() => kernelModule({ name: '-r' }), InputError))

  for (const shell of SHELLS) {
    it(`sees on this machine that a module is not there, with ${shell}`, () => {
      const one = kernelModule({ name: 'bramble_none' })
      assert.deepEqual(run(one.probe, { shell }).stdout, 'absent\n')
    })
  }
})
