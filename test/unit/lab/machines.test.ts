import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { machines } from '../../../src/lab/machines.ts'

function flavours(options: Parameters<typeof machines>[0]): string[] {
  return machines(options).map(({ flavour }) => flavour)
}

describe('the machines of a lab', () => {
  it('are rpi1 to rpi4 at 192.168.188.11 to .14, with Docker, when nothing is said', () => {
    assert.deepEqual(
      machines().map(({ name, address, flavour }) => [name, address, flavour]),
      [
        ['rpi1', '192.168.188.11', 'docker'],
        ['rpi2', '192.168.188.12', 'docker'],
        ['rpi3', '192.168.188.13', 'docker'],
        ['rpi4', '192.168.188.14', 'docker'],
      ],
    )
  })

  it('have a card address each', () => {
    const cards = machines({ count: 8 }).map(({ mac }) => mac)
    assert.equal(new Set(cards).size, 8)
    for (const card of cards) assert.match(card, /^52:54:00(:[0-9a-f]{2}){3}$/)
  })

  it('are fresh where asked for, by name or all', () => {
    assert.deepEqual(flavours({ count: 3, fresh: ['rpi3'] }), ['docker', 'docker', 'fresh'])
    assert.deepEqual(flavours({ count: 2, flavour: 'fresh' }), ['fresh', 'fresh'])
  })

  for (const count of [0, 9, -1, 1.5, Number.NaN]) {
    it(`cannot be ${count}`, () => {
      assert.throws(() => machines({ count }), InputError)
    })
  }

  it('must have the name that is to be fresh', () => {
    assert.throws(() => machines({ count: 2, fresh: ['rpi3'] }), {
      name: 'InputError',
      message: /no machine rpi3/,
      details: { expected: 'rpi1, rpi2', found: 'rpi3' },
    })
  })
})
