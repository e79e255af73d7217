import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { InputError } from '../../../src/errors.ts'
import { planAddition, planRemoval } from '../../../src/inventory/change.ts'
import { addHost, removeHost } from '../../../src/inventory/edit.ts'
import { loadInventory, type Edited } from '../../../src/inventory/index.ts'
import { expandRange, extendedBy, withoutHost } from '../../../src/inventory/ranges.ts'
import { yamlFile } from './inventories.ts'
import { patience, runs, seed } from './settings.ts'
import { addressOf, groups, hostsOf, inventory, render, withHost, without } from './written.ts'

/** An inventory in which every host is a worker. */
function asJson(hosts: readonly string[]): unknown {
  const each = (value: (host: string) => object) =>
    Object.fromEntries(hosts.map((host) => [host, value(host)]))
  const workers = { hosts: each(() => ({})) }
  const managers = { hosts: null }
  return {
    all: { hosts: each((host) => ({ ansible_host: addressOf(host) })), children: { workers, managers } },
  }
}

describe('an edit of an inventory', () => {
  it(`that adds a host leaves every other byte as it is (seed ${seed})`, function () {
    this.timeout(patience(60_000))
    fc.assert(
      fc.property(inventory, fc.subarray(groups, { minLength: 1 }), (one, groups) => {
        const host = { name: 'rpi20', address: addressOf('rpi20'), groups }
        assert.equal(addHost(render(one), 'hosts.yml', host), render(withHost(one, 'rpi20', groups)))
      }),
      runs(1 / 4),
    )
  })

  it(`that removes a host leaves every other byte as it is (seed ${seed})`, function () {
    this.timeout(patience(60_000))
    fc.assert(
      fc.property(inventory, fc.nat(), (one, place) => {
        const hosts = hostsOf(one)
        const name = hosts[place % hosts.length] ?? ''
        assert.equal(removeHost(render(one), 'hosts.yml', name), render(without(one, name)))
      }),
      runs(1 / 4),
    )
  })

  it(`of JSON is JSON, with the host and all else as it was (seed ${seed})`, function () {
    this.timeout(patience(60_000))
    fc.assert(
      fc.property(inventory, fc.constantFrom(0, 2, 4), (one, space) => {
        const hosts = hostsOf(one)
        const text = (hosts: readonly string[]) => JSON.stringify(asJson(hosts), undefined, space)
        const host = { name: 'rpi20', address: addressOf('rpi20'), groups: ['workers'] }
        assert.equal(addHost(text(hosts), 'hosts.json', host), text([...hosts, 'rpi20']))
        assert.equal(removeHost(text(hosts), 'hosts.json', hosts[0] ?? ''), text(hosts.slice(1)))
      }),
      runs(1 / 8),
    )
  })

  it(`of anything either means what it shall or is refused, and then nothing is changed (seed ${seed})`, async function () {
    this.timeout(patience(60_000))
    const folder = mkdtempSync(join(tmpdir(), 'bramble-edits-'))
    const load = (edited: Edited) => loadInventory(folder, {}, undefined, edited)
    const role = fc.constantFrom('managers', 'workers')
    // Of those that are nearly right hardly one can be edited.
    const anything = fc.oneof(
      { weight: 9, arbitrary: yamlFile },
      { weight: 1, arbitrary: inventory.map(render) },
    )
    let made = 0
    try {
      await fc.assert(
        fc.asyncProperty(anything, role, fc.nat(), async (file, role, place) => {
          writeFileSync(join(folder, 'hosts.yml'), file)
          const before = await loadInventory(folder, {}).catch(() => undefined)
          const name = before?.hosts[place % before.hosts.length]?.name ?? 'rpi1'
          const host = { name: 'rpi20', address: '10.9.9.9', groups: [role, 'webservers'] }
          const plans = [planAddition(folder, host, load), planRemoval(folder, name, load)]
          for (const result of await Promise.allSettled(plans)) {
            if (result.status === 'fulfilled') {
              made++
              const { hosts } = result.value.inventory
              assert.equal(
                hosts.some((one) => one.name === 'rpi20'),
                hosts.some((one) => one.name === name),
              )
            } else if (!(result.reason instanceof InputError)) throw result.reason
          }
        }),
        runs(1 / 8),
      )
      assert.ok(made > 0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('a host range', () => {
  const part = fc.oneof(
    fc
      .tuple(fc.nat(12), fc.nat(9), fc.integer({ min: 1, max: 3 }))
      .map(([from, more, by]) => `[${from}:${from + more}:${by}]`),
    fc
      .tuple(fc.nat(5), fc.nat(9))
      .map(([from, more]) => `[0${from}:${String(from + more).padStart(2, '0')}]`),
    fc.constantFrom('[a:e]', '[B:D]', 'rpi', '-', '1'),
  )
  const range = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `r${parts.join('')}`)

  it(`without one of its hosts names all others in their order (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    fc.assert(
      fc.property(range, fc.nat(), (range, place) => {
        const names = expandRange(range)
        const name = names[place % names.length] ?? ''
        const left = withoutHost(range, name)
        assert.deepEqual(
          left.flatMap((one) => expandRange(one)),
          names.filter((one) => one !== name),
        )
      }),
      runs(1 / 2),
    )
  })

  it(`with one more host names just that one more, as its last (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    fc.assert(
      fc.property(range, fc.nat(25), (range, number) => {
        const names = expandRange(range)
        const name = (names.at(-1) ?? '').replace(/\d+|[a-z]$/i, String(number))
        const extended = extendedBy(range, name)
        if (extended !== undefined) assert.deepEqual(expandRange(extended), [...names, name])
      }),
      runs(1 / 2),
    )
  })
})
