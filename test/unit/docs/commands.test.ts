import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { blocks, read, root } from './project.ts'

/** The commands that a Markdown text tells to run: lines of shell, and code within a sentence. */
function commandsOf(text: string): string[] {
  const shell = blocks(text, 'sh').flatMap((code) => code.split('\n'))
  const inline = [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  )
  return [...shell, ...inline]
    .flatMap((line) => line.replace(/\s#.*/, '').split('&&'))
    .map((command) => command.trim())
}

/** The words that name a command of the program: `lab up`. */
function nameOf(command: string): string {
  return /^bramble ((?:lab |node |secret |content )?\w+)/.exec(command)?.[1] ?? ''
}

/** What `--help` says, of each command; all by one process. */
function helpOf(names: readonly string[]): Map<string, string> {
  const script = `import { main } from ${JSON.stringify(join(root, 'src/cli/main.ts'))}
for (const name of process.argv.slice(1)) {
  console.log('\\0')
  await main([...name.split(' '), '--help'])
}`
  const words = ['--import', 'tsx', '--input-type=module', '--eval', script, '--', ...names]
  const { stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' })
  const texts = stdout.split('\0\n').slice(1)
  assert.equal(texts.length, names.length, stderr)
  return new Map(names.map((name, index) => [name, texts[index] ?? '']))
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/writing-a-module.md',
  'docs/settings.md',
  'docs/secrets.md',
  'docs/connections.md',
  'docs/status.md',
  'docs/nodes.md',
  'docs/availability.md',
  'docs/benchmarks.md',
  'docs/deadlines.md',
  'docs/mirror.md',
  'bin/demo',
]

describe('the commands in the documentation', () => {
  const commands = pages.flatMap((page) => {
    const text = read(page)
    // What the demo prints at its end is told to be run, too.
    const told = page === 'bin/demo' ? (text.match(/^ {2}bin\/bramble .*$/gm) ?? []) : commandsOf(text)
    return told.map((command) => command.trim().replace(/^(node )?bin\/bramble/, 'bramble'))
  })

  const calls = [...new Set(commands.filter((command) => /^bramble \w/.test(command)))]
  let help = new Map<string, string>()
  before(() => {
    help = helpOf([...new Set(calls.map(nameOf))])
  })

  it('are found', () => {
    assert.ok(calls.length > 20)
    assert.ok(commands.includes('npm run demo'))
  })

  for (const command of calls) {
    it(`${command}: bramble has it, with its flags`, () => {
      const text = help.get(nameOf(command)) ?? ''
      assert.ok(text.startsWith(`bramble ${nameOf(command)}`), text)
      const [own = ''] = command.split(' -- ')
      for (const [, flag = ''] of own.matchAll(/\s(--?[a-zA-Z][\w-]*)/g)) {
        assert.match(text, new RegExp(`(^|[\\s,])${flag}[\\s,]`), `${flag} is not a flag`)
      }
    })
  }

  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const command of new Set(commands.filter((one) => /^npm (run \S|test$)/.test(one)))) {
    it(`${command}: package.json has it`, () => {
      const [name = ''] = command.replace(/^npm (run )?/, '').split(' ')
      assert.ok(name in scripts)
    })
  }

  it('name files that are there', () => {
    const written = new Set(['inventory/hosts.yml', 'inventory/secrets.age', 'playbooks/time.ts'])
    for (const command of commands) {
      for (const [path] of command.matchAll(/\b(?:playbooks|inventory|src|test|docs|bin)\/[\w./-]*\w/g)) {
        assert.ok(written.has(path) || existsSync(join(root, path)), `${path} in ${command}`)
      }
    }
  })

  it('stand beside links that lead somewhere', () => {
    for (const page of [
      'README.md',
      'CONTRIBUTING.md',
      'docs/writing-a-module.md',
      'docs/modules.md',
      'docs/playbooks.md',
      'docs/settings.md',
      'docs/secrets.md',
      'docs/status.md',
      'docs/nodes.md',
      'docs/availability.md',
      'docs/mirror.md',
    ]) {
      for (const [, path = ''] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        assert.ok(existsSync(join(root, page, '..', path)), `${path} in ${page}`)
      }
    }
  })
}).timeout(60_000)
