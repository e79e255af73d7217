import assert from 'node:assert/strict'
import { machines } from '../../../src/lab/machines.ts'
import { assertMemory, assertSame, wantedArch } from '../../../src/lab/options.ts'
import type { LabState } from '../../../src/lab/state.ts'

describe('the options of a lab', () => {
  const before = process.env['BRAMBLE_LAB_ARCH']

  beforeEach(() => {
    delete process.env['BRAMBLE_LAB_ARCH']
  })

  after(() => {
    if (before === undefined) delete process.env['BRAMBLE_LAB_ARCH']
    else process.env['BRAMBLE_LAB_ARCH'] = before
  })

  it('take the architecture from BRAMBLE_LAB_ARCH unless the option says otherwise', () => {
    assert.equal(wantedArch({}), undefined)
    process.env['BRAMBLE_LAB_ARCH'] = 'arm64'
    assert.equal(wantedArch({}), 'arm64')
    assert.equal(wantedArch({ arch: 'amd64' }), 'amd64')
  })

  it('refuse an architecture that no lab has', () => {
    process.env['BRAMBLE_LAB_ARCH'] = 'armhf'
    assert.throws(() => wantedArch({}), {
      name: 'InputError',
      details: { expected: 'amd64 or arm64', found: 'armhf' },
    })
  })

  for (const memory of [0, 128, 512.5, Number.NaN]) {
    it(`refuse ${memory} MiB of memory`, () => {
      assert.throws(() => assertMemory({ memory }), { name: 'InputError' })
    })
  }

  const up: LabState = {
    arch: 'amd64',
    accelerator: 'tcg',
    memory: 768,
    machines: machines({ fresh: ['rpi3'] }),
  }

  it('fit the lab that is up when they say the same, or less', () => {
    assertSame(up, {}, machines({ fresh: ['rpi3'] }))
    assertSame(up, { arch: 'amd64', memory: 768 }, machines({ count: 2 }))
  })

  it('are refused when the lab that is up is a different one', () => {
    assert.throws(() => assertSame(up, { memory: 512 }, machines({ count: 4 })), {
      name: 'InputError',
      details: {
        expected: 'rpi3 docker, memory 512',
        found: 'rpi3 fresh, memory 768',
        next: 'bramble lab down, then this again',
      },
    })
  })

  it('are refused when BRAMBLE_LAB_ARCH wants another architecture than the lab that is up has', () => {
    process.env['BRAMBLE_LAB_ARCH'] = 'arm64'
    assert.throws(() => assertSame(up, {}, machines({ count: 1 })), { name: 'InputError' })
  })
})
