import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { templates } from '../../../src/cli/project.ts'
import { loadInventory } from '../../../src/inventory/index.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import * as bramble from '../../../src/playbook/index.ts'
import { loadPlaybook } from '../../../src/playbook/load.ts'
import type { Archive } from '../../../src/stack/archive.ts'
import { examples, examplesFile } from './examples.ts'
import { blocks, copyProject, files, read, root } from './project.ts'

const archive: Archive = {
  path: 'nginx.tar',
  images: [
    {
      reference: 'nginx:1.28',
      id: 'sha256:0',
      architecture: 'arm64',
      config: {},
      json: Buffer.alloc(0),
      layers: [],
    },
  ],
}

const readArchive = (): Promise<Archive> => Promise.resolve(archive)

describe('the code in the documentation', () => {
  const written = files(read('README.md'))
  const page = read('docs/writing-a-module.md')
  let project = ''
  let context: bramble.Context

  before(async () => {
    project = copyProject({ ...written, 'playbooks/examples.ts': examplesFile(Object.keys(bramble)) })
    const cluster = await loadInventory(join(root, 'inventory'))
    const facts = new FactStore()
    for (const { name } of cluster.hosts) facts.add(name, { interface: 'eth0' })
    context = {
      cluster,
      facts,
      alive: cluster.hosts,
      template: templates(root),
      archives: [archive],
      wrote: false,
    }
  })
  after(() => rmSync(project, { recursive: true }))

  const run = (program: string, ...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', program), words, {
      cwd: project,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${stdout}${stderr}`)
    return stdout
  }

  it('is a playbook, a module and its test', () => {
    assert.deepEqual(Object.keys(written), ['playbooks/time.ts'])
    assert.deepEqual(Object.keys(files(page)), [
      'src/modules/timezone.ts',
      'test/unit/modules/timezone.test.ts',
    ])
  })

  it('shows a module and its test as they are', () => {
    for (const [path, code] of Object.entries(files(page))) assert.equal(code, `// ${path}\n${read(path)}`)
  })

  it('shows the module’s row on a real host as it is', () => {
    const row = blocks(page, 'ts').find((code) => code.startsWith("'")) ?? 'no row'
    const indented = row.replaceAll(/^(?=.)/gm, '  ')
    assert.ok(read('test/integration/modules.test.ts').includes(`\n${indented}`), indented)
  })

  it('has the right types, examples of docstrings too', () => {
    run('tsc', '--noEmit')
  })

  it('gives every host its tasks', async () => {
    const { plays } = await loadPlaybook(join(project, 'playbooks/time.ts'), project, context.cluster)
    for (const host of context.cluster.hosts) {
      const titles = plays.flatMap((play) => [...play.tasks(host, context)].map(({ title }) => title))
      assert.equal(titles.length, 3)
    }
  })

  describe('in the docstring of', () => {
    type Example = (scope: object) => Promise<unknown>
    let functions: Record<string, Example | undefined> = {}
    let scope = {}

    before(async () => {
      const file = pathToFileURL(join(project, 'playbooks/examples.ts')).href
      functions = ((await import(file)) as { examples: Record<string, Example> }).examples
      const empty = bramble.playbook({ name: 'empty', plays: [] })
      const model = bramble.stackModel(context.cluster, () => 'eth0')
      scope = { ...context, context, model, readArchive, docker: empty, swarm: empty, packages: empty }
    })

    for (const name of examples().keys()) {
      it(`${name} is true`, async () => {
        const result = await functions[name]?.(scope)
        assert.ok(result)
      })
    }
  })
}).timeout(60_000)
