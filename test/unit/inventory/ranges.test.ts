import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { expandRange } from '../../../src/inventory/ranges.ts'

describe('A host range', () => {
  const cases: [string, string[]][] = [
    ['rpi1', ['rpi1']],
    ['rpi[1:4]', ['rpi1', 'rpi2', 'rpi3', 'rpi4']],
    ['rpi[3:3]', ['rpi3']],
    ['rpi[8:11]', ['rpi8', 'rpi9', 'rpi10', 'rpi11']],
    ['web[08:10]', ['web08', 'web09', 'web10']],
    ['web[0:2]', ['web0', 'web1', 'web2']],
    ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
    ['db-[A:B].lan', ['db-A.lan', 'db-B.lan']],
    ['n[0:6:3]', ['n0', 'n3', 'n6']],
    ['r[1:2]n[a:b]', ['r1na', 'r1nb', 'r2na', 'r2nb']],
  ]
  for (const [name, expected] of cases) {
    it(`${name} means ${expected.join(' ')}`, () => assert.deepEqual(expandRange(name), expected))
  }

  for (const name of [
    'a[]',
    'a[1]',
    'a[4:1]',
    'a[1:b]',
    'a[a:C]',
    'a[01:100]',
    'a[1:9:0]',
    'a[0:99999]',
    'a[1:999][1:999]',
    `a${'[1:1]'.repeat(5000)}`,
  ]) {
    it(`${name.slice(0, 20)} is an error that names it`, () => {
      assert.throws(
        () => expandRange(name, 'hosts.yml:3:5'),
        (error) =>
          error instanceof InputError && error.message.includes(name) && error.details.at === 'hosts.yml:3:5',
      )
    })
  }
})
