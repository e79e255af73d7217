import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { expandRange, extendedBy, withoutHost } from '../../../src/inventory/ranges.ts'

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

describe('A host range without one of its hosts', () => {
  const cases: [pattern: string, name: string, left: string[]][] = [
    ['rpi1', 'rpi1', []],
    ['rpi1', 'rpi2', ['rpi1']],
    ['rpi[1:4]', 'rpi4', ['rpi[1:3]']],
    ['rpi[1:4]', 'rpi1', ['rpi[2:4]']],
    ['rpi[1:4]', 'rpi2', ['rpi1', 'rpi[3:4]']],
    ['rpi[1:3]', 'rpi2', ['rpi1', 'rpi3']],
    ['rpi[3:3]', 'rpi3', []],
    ['rpi[8:11]', 'rpi9', ['rpi8', 'rpi[10:11]']],
    ['web[08:10].lan', 'web09.lan', ['web08.lan', 'web10.lan']],
    ['n[0:10:3]', 'n3', ['n0', 'n[6:9:3]']],
    ['db-[a:d]', 'db-c', ['db-[a:b]', 'db-d']],
    ['r[1:3]n[a:c]', 'r2nb', ['r1n[a:c]', 'r2na', 'r2nc', 'r3n[a:c]']],
    ['x[1:11][1:11]', 'x111', ['x1[1:10]', 'x[2:10][1:11]', 'x11[2:11]']],
  ]
  for (const [pattern, name, left] of cases) {
    it(`${pattern} without ${name} is ${left.join(' and ') || 'nothing'}`, () => {
      assert.deepEqual(withoutHost(pattern, name), left)
      const others = expandRange(pattern).filter((one) => one !== name)
      assert.deepEqual(
        left.flatMap((one) => expandRange(one)),
        others,
      )
    })
  }
})

describe('A host range with one more host', () => {
  const cases: [pattern: string, name: string, extended: string | undefined][] = [
    ['rpi[1:4]', 'rpi5', 'rpi[1:5]'],
    ['rpi[1:9]', 'rpi10', 'rpi[1:10]'],
    ['rpi[1:4].lan', 'rpi5.lan', 'rpi[1:5].lan'],
    ['web[01:09]', 'web10', 'web[01:10]'],
    ['n[0:7:3]', 'n9', 'n[0:9:3]'],
    ['db-[a:c]', 'db-d', 'db-[a:d]'],
    ['rpi[1:4]', 'rpi6', undefined],
    ['rpi[1:4]', 'rpi0', undefined],
    ['rpi[1:4]', 'rpi05', undefined],
    ['rpi[1:4]', 'web5', undefined],
    ['rpi[1:4]', 'rpi', undefined],
    ['rpi[1:4]', 'rpi4', undefined],
    ['rpi[1:4].lan', 'rpi5', undefined],
    ['web[01:99]', 'web100', undefined],
    ['db-[a:z]', 'db-aa', undefined],
    ['r[1:2]n[1:4]', 'r2n5', undefined],
    ['rpi4', 'rpi5', undefined],
  ]
  for (const [pattern, name, extended] of cases) {
    it(`${pattern} and ${name} is ${extended ?? 'no range'}`, () => {
      assert.equal(extendedBy(pattern, name), extended)
    })
  }
})
