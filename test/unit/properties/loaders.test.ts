import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { checkTags } from '../../../src/engine/plays.ts'
import { BrambleError, InputError } from '../../../src/errors.ts'
import { matchHosts } from '../../../src/inventory/index.ts'
import { expandRange } from '../../../src/inventory/ranges.ts'
import { renderTemplate } from '../../../src/modules/template.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import { askConfig, readSshConfig } from '../../../src/ssh/config.ts'
import { checkHostKey } from '../../../src/ssh/host-key.ts'
import { knownKeys } from '../../../src/ssh/known-hosts.ts'
import type { Target } from '../../../src/ssh/target.ts'
import { inventoryOf, type Files } from '../inventory/fixture.ts'
import { yamlFile } from './inventories.ts'
import { patience, runs, seed } from './settings.ts'
import { lineText, text, words } from './texts.ts'

/** What one case may take. Generous: the machine may be busy; a case that hangs takes for ever. */
const deadline = 5000

/** A result or an error of our own, and either soon. */
function holds<T>(what: string, load: () => T): T | undefined {
  const start = performance.now()
  try {
    return load()
  } catch (error) {
    assert.ok(
      error instanceof BrambleError,
      `${what}: ${error instanceof Error ? error.stack : String(error)}`,
    )
    assert.ok(error.message !== '' && error.describe() !== '')
    return undefined
  } finally {
    const took = performance.now() - start
    assert.ok(took < deadline, `${what} took ${Math.round(took)} ms`)
  }
}

describe('anything in the place of', () => {
  it(`an inventory's files is an inventory or an error that tells where (seed ${seed})`, async function () {
    this.timeout(patience(60_000))
    const fine =
      'all: { hosts: { rpi1: { ansible_host: 10.0.0.1 } }, children: { managers: { hosts: { rpi1: } } } }\n'
    const files = fc.oneof(
      { weight: 3, arbitrary: yamlFile.map((file): Files => ({ 'hosts.yml': file })) },
      {
        weight: 1,
        arbitrary: yamlFile.map((file): Files => ({ 'hosts.yml': fine, 'group_vars/all.yml': file })),
      },
      {
        weight: 1,
        arbitrary: yamlFile.map((file): Files => ({ 'hosts.yml': fine, 'group_vars/managers': file })),
      },
      {
        weight: 1,
        arbitrary: yamlFile.map((file): Files => ({ 'hosts.yml': fine, 'host_vars/rpi1.yml': file })),
      },
    )
    await fc.assert(
      fc.asyncProperty(files, async (files) => {
        const start = performance.now()
        try {
          const inventory = await inventoryOf(files)
          assert.ok(inventory.hosts.length > 0)
          assert.deepEqual(inventory.match('all'), inventory.hosts)
        } catch (error) {
          assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error))
          assert.match(error.message, /(^|\s)(hosts\.yml|group_vars|host_vars|\.bramble)/)
        }
        assert.ok(performance.now() - start < deadline)
      }),
      runs(1 / 4),
    )
  })

  const signs = fc.constantFrom(...'rpi123web:,&!~*?[]()-ad{}\\^$.|+0 '.split(''))
  const names = fc.constantFrom(
    ...words('rpi1 web all all[ [0 :1] *a*a*a*a ~( ** [! [] ] (?= {9999} __proto__ constructor'),
  )
  const pattern = fc.oneof(fc.string({ unit: fc.oneof(signs, names), maxLength: 20 }), text)

  it(`a host pattern is hosts or an error (seed ${seed})`, async function () {
    this.timeout(patience(20_000))
    const inventory = await inventoryOf(
      `all:\n  hosts:\n    rpi[1:20]: { ansible_host: 10.0.0.1 }\n`.replace(
        /rpi\[1:20\].*/,
        Array.from({ length: 20 }, (_, index) => `rpi${index}: { ansible_host: 10.0.0.${index + 1} }`)
          .concat(`${'a'.repeat(63)}.${'a'.repeat(63)}: { ansible_host: 10.0.1.1 }`)
          .join('\n    '),
      ),
    )
    fc.assert(
      fc.property(pattern, (one) => {
        const hosts = holds(one, () => matchHosts(inventory, one))
        if (hosts) assert.equal(new Set(hosts).size, hosts.length)
      }),
      runs(1),
    )
  })

  it(`a host range is names or an error (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    const part = fc.oneof(
      fc.constantFrom(
        '[1:99999999]',
        '[0:9999]',
        '[a:z]',
        '[A:z]',
        '[001:099]',
        '[1:10:3]',
        '[:',
        ']',
        '[::]',
        '[é:z]',
        '[1:1]'.repeat(500),
      ),
      fc.tuple(fc.nat(), fc.nat(20), fc.nat(3)).map(([from, more, by]) => `[${from}:${from + more}:${by}]`),
      fc.string({ maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const names = holds(parts.join(''), () => expandRange(parts.join('')))
        if (names) assert.ok(names.length > 0 && names.length <= 10_000)
      }),
      runs(1),
    )
  })

  it(`a template is text or an error that names it (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    const tag = fc.constantFrom(
      ...words("<% %> <%= <%- <%# <%% %%> -%> _%> <%_ // /* */ ' ` ${ } { ( ) ;"),
      ...`<%= name %>|<%= nobody %>|<% if (name) { %>|<% } %>|<% for (const x of list) { %>|<%= x %>|<%= list %>|<% throw name %>
        |<% throw null %>|<% return %>|<%= this %>|<%= locals %>|<%= undefined %>|<%= () => 1 %>|<%= 1n %>|<%= Symbol() %>
        |<%= null.x %>|<% include("x") %>|<% const x = 1 %>|<% function f() { f() }; f() %>|// x`.split(
        /\n? *\|/,
      ),
    )
    const source = fc
      .array(fc.oneof({ weight: 3, arbitrary: tag }, text), { maxLength: 8 })
      .map((all) => all.join(''))
    const variables = fc.dictionary(
      fc.oneof(
        fc.constantFrom('name', 'list', 'x', '__proto__', 'constructor', 'locals', 'a-b', '__output', 'eval'),
        text,
      ),
      fc.anything({ maxDepth: 2 }),
      { maxKeys: 3 },
    )
    fc.assert(
      fc.property(source, variables, lineText, (text, variables, name) => {
        const rendered = holds(text, () => renderTemplate({ name, text }, variables))
        if (rendered !== undefined) assert.equal(typeof rendered, 'string')
      }),
      runs(1),
    )
  })

  it(`--tags is accepted or refused by name (seed ${seed})`, async function () {
    this.timeout(patience(20_000))
    const cluster = await inventoryOf('all: { hosts: { rpi1: { ansible_host: 10.0.0.1 } } }')
    const context = {
      cluster,
      alive: cluster.hosts,
      facts: new FactStore(),
      template: (name: string) => ({ name, text: '' }),
      archives: [],
      wrote: false,
    }
    const playbook = {
      name: 'x',
      plays: [{ name: 'one', hosts: 'all', tags: ['web', 'constructor'], tasks: () => [] }],
    }
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('web', '__proto__', 'constructor', 'toString'), text)),
        (tags) => {
          holds(tags.join(), () => checkTags(tags, playbook, context))
        },
      ),
      runs(1 / 2),
    )
  })

  it(`a line of ssh_config is taken, left out or refused (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    const folder = mkdtempSync(join(tmpdir(), 'bramble-config-'))
    const file = join(folder, 'config')
    // No `Match exec`: it would run what was made up.
    const word = fc.oneof(
      fc.constantFrom(
        ...words('Host Match Include Port User HostName ProxyJump IdentityFile = # * ! !* host all'),
      ),
      fc.constantFrom(
        ...words('originalhost user final 22 65536 -1 %h %p %% %x ~ ~/x [a [z-a] [! *[ config none " \''),
      ),
      text.filter((one) => !/exec/i.test(one)),
    )
    const lines = fc.array(
      fc.array(word, { maxLength: 4 }).map((all) => all.join(' ')),
      { maxLength: 6 },
    )
    try {
      fc.assert(
        fc.property(lines, (all) => {
          writeFileSync(file, all.join('\n').replaceAll('Include ', `Include ${folder}/`))
          holds(all.join('\n'), () => {
            const { port } = askConfig(readSshConfig(file), { names: ['rpi1'] })
            assert.ok(port === undefined || Number.isInteger(port), String(port))
          })
        }),
        runs(1 / 2),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it(`a line of known_hosts is passed over, or judged (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    const folder = mkdtempSync(join(tmpdir(), 'bramble-known-'))
    const file = join(folder, 'known_hosts')
    const target: Target = {
      name: 'rpi1',
      host: 'rpi1',
      port: 22,
      user: 'pi',
      identities: [],
      identitiesFrom: 'default',
      identitiesOnly: false,
      become: true,
      knownHosts: file,
      alsoKnown: [],
      hostKeys: 'accept-new',
      connectTimeout: 10,
      ignored: [],
    }
    const key = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.alloc(36, 1)])
    const word = fc.oneof(
      fc.constantFrom(
        ...words(
          'rpi1 * !rpi1 *a*a*a*a*a*a*a*a*a*a*b [rpi1]:22 |1| |1|x|y |1|| | @revoked @cert-authority @x #',
        ),
      ),
      fc.constantFrom('ssh-ed25519', 'ssh-rsa', 'roses', key.toString('base64'), 'AAAA', '=', ',', ',,rpi1'),
      text,
    )
    const lines = fc.array(
      fc.array(word, { maxLength: 5 }).map((all) => all.join(' ')),
      { maxLength: 5 },
    )
    const bytes = fc.oneof(
      { weight: 4, arbitrary: lines.map((all) => Buffer.from(all.join('\n'))) },
      fc.uint8Array(),
    )
    try {
      fc.assert(
        fc.property(bytes, (content) => {
          writeFileSync(file, content)
          const host = `${'a'.repeat(60)}.${'a'.repeat(60)}`
          holds('the keys', () => knownKeys(file, host))
          holds('the judgement', () => checkHostKey(target, key))
        }),
        runs(1 / 2),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
