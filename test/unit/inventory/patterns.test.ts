import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { InputError } from '../../../src/errors.ts'
import { matchHosts } from '../../../src/inventory/index.ts'
import type { Host, Inventory } from '../../../src/inventory/index.ts'
import { hosts, inventoryOf } from './fixture.ts'
import { seed } from '../../random.ts'

const cluster = `all:
  hosts:
${hosts('rpi1', 'rpi2', 'rpi3', 'rpi4', 'spare')}  children:
    web: { hosts: { 'rpi[1:4]': } }
    db: { hosts: { rpi4: , rpi3: } }
    sites:
      children:
        dc1: { hosts: { rpi1: , rpi2: } }
        dc2: { hosts: { rpi3: , rpi4: } }
    nobody:
`

describe('A host pattern', () => {
  let inventory: Inventory
  before(async () => {
    inventory = await inventoryOf(cluster)
  })

  const cases: [string, string][] = [
    ['all', 'rpi1 rpi2 rpi3 rpi4 spare'],
    ['*', 'rpi1 rpi2 rpi3 rpi4 spare'],
    ['rpi2', 'rpi2'],
    ['db', 'rpi4 rpi3'],
    ['sites', 'rpi1 rpi2 rpi3 rpi4'],
    ['ungrouped', 'spare'],
    ['nobody', ''],
    ['managers', ''],
    ['rpi3:rpi1', 'rpi3 rpi1'],
    ['rpi3,rpi1', 'rpi3 rpi1'],
    [' rpi3 , rpi1,', 'rpi3 rpi1'],
    ['db:rpi3', 'rpi4 rpi3'],
    ['web:&dc1', 'rpi1 rpi2'],
    ['web:!rpi3', 'rpi1 rpi2 rpi4'],
    ['!rpi3:web', 'rpi1 rpi2 rpi4'],
    ['web:&dc1:!rpi1', 'rpi2'],
    ['web:!dc1:!dc2', ''],
    ['!web', 'spare'],
    ['&db', 'rpi3 rpi4'],
    ['rpi*', 'rpi1 rpi2 rpi3 rpi4'],
    ['dc?', 'rpi1 rpi2 rpi3 rpi4'],
    ['*are', 'spare'],
    ['rpi[1-2]', 'rpi1 rpi2'],
    ['rpi[!13]', 'rpi2 rpi4'],
    ['~rpi[12]', 'rpi1 rpi2'],
    ['~(dc2|sp)', 'rpi3 rpi4 spare'],
    ['~.*4$', 'rpi4'],
    ['db[0]', 'rpi4'],
    ['db[-1]', 'rpi3'],
    ['db[7]', ''],
    ['web[0:1]', 'rpi1 rpi2'],
    ['web[1:]', 'rpi2 rpi3 rpi4'],
    ['web[:1]', 'rpi1 rpi2'],
    ['web[-2:]', 'rpi3 rpi4'],
    ['web[0:1]:spare', 'rpi1 rpi2 spare'],
    ['all[1:2]', 'rpi2 rpi3'],
    ['web[1]', 'rpi2'],
  ]
  for (const [pattern, expected] of cases) {
    it(`${pattern} means ${expected || 'no host'}`, () => {
      const names = matchHosts(inventory, pattern).map((host) => host.name)
      assert.equal(names.join(' '), expected)
    })
  }

  const errors: [string, string][] = [
    ['rpi33', 'no host and no group is called `rpi33`\n  next:     did you mean rpi3?'],
    [
      'web:!rip3',
      'no host and no group is called `rip3`\n  found:    the pattern `web:!rip3`\n  next:     did you mean rpi3?',
    ],
    ['manager', 'no host and no group is called `manager`\n  next:     did you mean managers?'],
    [
      'zzz*',
      'no host and no group matches `zzz*`\n  next:     known: all, web, db, sites, dc1, dc2, nobody, ungrouped, rpi1, rpi2, rpi3, rpi4, spare',
    ],
    ['~rpi(', 'Invalid regular expression'],
    ['', 'the host pattern is empty\n  expected: a host, a group or all'],
    [' , ', 'the host pattern is empty\n  expected: a host, a group or all'],
  ]
  for (const [pattern, expected] of errors) {
    it(`'${pattern}' is an error that helps`, () => {
      assert.throws(
        () => inventory.match(pattern),
        (error) =>
          error instanceof InputError &&
          [error.describe(), String(error.cause)].some((text) => text.includes(expected)),
      )
    })
  }

  it('of many stars comes to an end at once', () => {
    const host = { ...inventory.hosts[0], name: `${'a'.repeat(200)}c` } as Host
    const start = performance.now()
    assert.throws(() => matchHosts({ hosts: [host], groups: new Map() }, `${'*a'.repeat(60)}b`), InputError)
    assert.deepEqual(matchHosts({ hosts: [host], groups: new Map() }, `a${'*a?'.repeat(20)}[b-d]`), [host])
    assert.ok(performance.now() - start < 2000)
  })

  it('of any letters gives hosts or an InputError, and never the same host twice', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'rpi1234web:,&!~*?[]()-ad{}\\^'.split('')),
      maxLength: 24,
    })
    fc.assert(
      fc.property(fc.oneof(letters, fc.string({ unit: 'binary', maxLength: 12 })), (pattern) => {
        try {
          const found = matchHosts(inventory, pattern)
          assert.equal(new Set(found).size, found.length)
        } catch (error) {
          assert.ok(error instanceof InputError, String(error))
        }
      }),
      { numRuns: 2000, seed },
    )
  })
})

describe('A group', () => {
  it('gives its hosts, none if it is a known group that is missing, and an error otherwise', async () => {
    const inventory = await inventoryOf(cluster)
    assert.deepEqual(
      inventory.group('db').map((host) => host.name),
      ['rpi4', 'rpi3'],
    )
    assert.deepEqual(inventory.group('nfs_server'), [])
    assert.throws(() => inventory.group('manger'), /InputError: no group is called `manger`/)
  })
})
