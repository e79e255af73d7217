import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { loadInventory, type Cluster } from '../../../src/inventory/index.ts'
import { loadPlaybook } from '../../../src/playbook/load.ts'

const loader = join(import.meta.dirname, '../../../src/playbook/load.ts')

const named = (name: string) => `import { playbook } from 'bramble'
export default playbook({ name: ${name}, plays: [] })
`

const mistakes: Record<string, { files: Record<string, string>; says: RegExp }> = {
  'a file that is not there': {
    files: {},
    says: /^there is no playbook .*site\.ts\n {2}next: +Name one: bramble apply playbooks\/site\.ts$/,
  },
  'one that does not compile': {
    files: { 'site.ts': 'const a = 1\nconst b = = 2\nexport default {}\n' },
    says: /^the playbook does not compile\n {2}at site\.ts:2:11\n {2}found: +Unexpected "="\n +const b = = 2$/,
  },
  'one whose import does not compile': {
    files: { 'site.ts': "import './parts/web.ts'\n", 'parts/web.ts': 'const port = 80\n}\n' },
    says: /does not compile\n {2}at parts\/web\.ts:2:1\n/,
  },
  'one that imports a file that is not there': {
    files: { 'site.ts': "import './web.ts'\n" },
    says: /does not compile\n {2}at site\.ts:1:8\n {2}found: +Could not resolve "\.\/web\.ts"/,
  },
  'one that throws while it is loaded': {
    files: { 'site.ts': "type A = string\n\nthrow new Error('no roses')\n" },
    says: /site\.ts throws: no roses\n {2}at .*site\.ts:3:7$/,
  },
  'one that throws no error at all': {
    files: { 'site.ts': "throw 'roses'\n" },
    says: /site\.ts throws: roses$/m,
  },
  'one that uses what bramble does not export': {
    files: { 'site.ts': "import { roses } from 'bramble'\nroses()\n" },
    says: /site\.ts throws: .*does not provide an export named 'roses'/,
  },
  'one without a default export': {
    files: { 'site.ts': 'export const a = 1\n' },
    says: /is no playbook\n {2}expected: export default playbook\(.*\n {2}found: +no default export$/,
  },
  'one that exports something else': {
    files: { 'site.ts': 'export default 3\n' },
    says: /is no playbook\n[^]*found: +a default export of type number$/,
  },
}

describe('loading a playbook', () => {
  let project: string
  let cluster: Cluster
  before(async () => {
    cluster = await loadInventory(join(import.meta.dirname, '../../../inventory'))
  })
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(project, name)), { recursive: true })
    writeFileSync(join(project, name), text)
  }
  const load = async (name = 'site.ts') => loadPlaybook(join(project, name), project, cluster)
  const cached = () => readdirSync(join(project, '.bramble/cache')).toSorted()

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'bramble-load-'))
  })
  afterEach(() => rmSync(project, { recursive: true, force: true }))

  for (const [what, { files, says }] of Object.entries(mistakes)) {
    it(`refuses ${what}`, async () => {
      for (const [name, text] of Object.entries(files)) put(name, text)
      await assert.rejects(load(), (error) => {
        assert.ok(error instanceof InputError)
        assert.match(error.describe(), says)
        return true
      })
    })
  }

  it('gives its name and plays, those of playbooks in it among them', async () => {
    put(
      'web.ts',
      "import { playbook } from 'bramble'\nconst tasks = () => []\nexport default playbook({ name: 'web', plays: [{ name: 'one', hosts: 'all', tasks }] })",
    )
    put(
      'site.ts',
      "import { playbook } from 'bramble'\nimport web from './web.ts'\nexport default playbook({ name: 'site', plays: [web, web] })",
    )
    const { name, plays } = await load()
    assert.deepEqual([name, plays.map((play) => play.name)], ['site', ['one', 'one']])
  })

  it('sees what was edited, in the file and in what it imports', async () => {
    put('name.ts', "export const name: string = 'first'\n")
    put('site.ts', `import { name } from './name.ts'\n${named('name')}`)
    assert.equal((await load()).name, 'first')
    put('name.ts', "export const name: string = 'second one'\n")
    assert.equal((await load()).name, 'second one')
    put('site.ts', named("'third'"))
    assert.equal((await load()).name, 'third')
    assert.equal(cached().length, 2, 'what is stale is not kept')
  })

  it('gives the cluster to one whose plays depend on it', async () => {
    const plays = 'hosts.map(({ name }) => play({ name, hosts: name, tasks: () => [] }))'
    put(
      'site.ts',
      `import { play, playbook, type Cluster } from 'bramble'
export default ({ hosts }: Cluster) => playbook({ name: 'each', plays: ${plays} })\n`,
    )
    const { plays: made } = await load()
    assert.deepEqual(
      made.map(({ hosts }) => hosts),
      ['rpi1', 'rpi2', 'rpi3', 'rpi4'],
    )
  })

  it('tells where such a function throws', async () => {
    put('site.ts', "export default () => {\n  throw new Error('no roses')\n}\n")
    await assert.rejects(load(), (error) => {
      assert.ok(error instanceof InputError)
      assert.equal(error.details.at, `${relative(process.cwd(), project)}/site.ts:2:9`)
      return true
    })
  })

  it('sees that an imported file is gone', async () => {
    put('name.ts', "export const name: string = 'first'\n")
    put('site.ts', `import { name } from './name.ts'\n${named('name')}`)
    await load()
    rmSync(join(project, 'name.ts'))
    await assert.rejects(load(), /does not compile/)
  })

  it('sees what was mended', async () => {
    put('site.ts', 'export default )\n')
    await assert.rejects(load(), InputError)
    put('site.ts', named("'mended'"))
    assert.equal((await load()).name, 'mended')
  })

  it('does not mind a cache that was cut off', async () => {
    put('site.ts', named("'whole'"))
    await load()
    const entry = cached().find((name) => name.endsWith('.json')) ?? ''
    writeFileSync(join(project, '.bramble/cache', entry), '{"inp')
    assert.equal((await load()).name, 'whole')
  })

  it('tells the place in a folder with a space and an umlaut', async () => {
    put('my büsche/site.ts', "\nthrow new Error('no roses')\n")
    await assert.rejects(load('my büsche/site.ts'), (error) => {
      assert.ok(error instanceof InputError)
      assert.equal(error.details.at, `${relative(process.cwd(), project)}/my büsche/site.ts:2:7`)
      return true
    })
  })

  it('compiles the first time only', async function () {
    this.timeout(30_000)
    put('site.ts', named("'compiled'"))
    await load()
    // Another process, since this one keeps the module itself, too.
    const compiled = cached().find((name) => name.endsWith('.mjs')) ?? ''
    put(`.bramble/cache/${compiled}`, 'export default { name: "from the cache", plays: [] }')
    const script = `import { loadPlaybook } from ${JSON.stringify(loader)}
      const project = ${JSON.stringify(project)}
      console.log((await loadPlaybook(project + '/site.ts', project, { hosts: [] })).name)`
    const printed = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '../../..'),
      encoding: 'utf8',
    })
    assert.equal(printed, 'from the cache\n')
  })
})
