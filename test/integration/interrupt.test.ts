import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../src/lab/wait.ts'
import { ensurePackages } from '../packages.ts'
import { startSshd, type Sshd } from '../sshd.ts'
import { localHost, projectWith, start, type Program } from './program.ts'
import type { Project } from './project.ts'

/** On rpi1 a step that goes on until it may end, on rpi2 a probe that never does. */
const playbookIn = (directory: string) => `
import { command, file, play, playbook, sh } from 'bramble'
const at = (name) => ${JSON.stringify(`${directory}/`)} + name
const slow = sh\`: >\${at('begun')}; tries=0; until [ -e \${at('go')} ]; do tries=$((tries + 1)); [ $tries -lt 1200 ] || exit 1; sleep 0.05; done; : >\${at('slow')}\`
const first = play({
  name: 'first',
  hosts: 'all',
  *tasks({ name }) {
    if (name === 'rpi1') yield command({ title: 'slow', run: slow, creates: at('slow') })
    else yield command({ title: 'look', run: sh\`:\`, unless: sh\`: >\${at('looked')}; [ -e \${at('go')} ] || sleep 600\` })
    yield file({ path: at('two-' + name), content: 'x' })
  },
})
const second = play({ name: 'second', hosts: 'all', tasks: ({ name }) => [file({ path: at('three-' + name), content: 'x' })] })
export default playbook({ name: 'site', plays: [first, second] })
`

describe('a run that is interrupted', function () {
  this.timeout(120_000)
  const sshds: Sshd[] = []
  let directory: string
  let project: Project
  let program: Program

  before(async () => {
    sshds.push(await startSshd(), await startSshd())
  })
  after(() => Promise.all(sshds.map((sshd) => sshd.stop())))

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-interrupt-'))
    project = projectWith(hosts(), playbookIn(directory))
  })
  afterEach(() => {
    program.child.kill('SIGKILL')
    project.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  const hosts = (more: (sshd: Sshd) => object = () => ({})) =>
    Object.fromEntries(
      sshds.map((sshd, index) => [`rpi${index + 1}`, { ...localHost(sshd, index), ...more(sshd) }]),
    )
  const there = (name: string) => existsSync(join(directory, name))
  const go = () => writeFileSync(join(directory, 'go'), '')
  const begin = async (...words: string[]) => {
    program = start(project, ['apply', ...words])
    await until('both hosts to be at work', 60_000, () => there('begun') && there('looked'))
  }
  const told = (text: string) => until(text, 30_000, () => program.printed.includes(text))

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`by ${signal} finishes the step under way, says what was and what was not done, and exits with 130`, async () => {
      await begin()
      program.child.kill(signal)
      await told('interrupted: finishing what is under way; interrupt again to end at once\n  rpi1: slow\n')
      go()
      assert.equal(await program.ended, 130)
      assert.deepEqual([there('slow'), there('two-rpi1'), there('three-rpi1')], [true, false, false])
      const { printed } = program
      assert.match(printed, /^rpi1 +changed +slow/m)
      assert.match(
        printed,
        new RegExp(`stopped rpi1\n  interrupted\n +found: +not begun: file ${directory}/two-rpi1\n`),
      )
      assert.match(printed, new RegExp(`not begun: look, file ${directory}/two-rpi2\n`))
      assert.match(printed, /stopped: interrupted; plays not begun: second\n/)
      assert.match(printed, /journal: .*events\.jsonl\nretry: +bramble apply playbooks\/site\.ts\n/)
      assert.match(printed, /1 changed in .*, 2 hosts, 2 interrupted\n$/)
    })
  }

  it('by Ctrl-C, which all programs at the terminal get, finishes also what goes over a proxy command', async () => {
    await ensurePackages({ socat: 'socat' })
    project.remove()
    const proxied = hosts(({ host, port }) => ({ proxy_command: `socat - TCP:${host}:${port}` }))
    project = projectWith(proxied, playbookIn(directory))
    // A session, and a group of processes, of its own: what a terminal sends a signal to.
    program = start(project, ['apply'], ['setsid'])
    await until('both hosts to be at work', 60_000, () => there('begun') && there('looked'))
    process.kill(-(program.child.pid as number), 'SIGINT')
    await told('interrupted: finishing')
    go()
    assert.equal(await program.ended, 130)
    assert.match(program.printed, /^rpi1 +changed +slow/m)
  })

  it('a second time ends at once, and says that it does not know', async () => {
    await begin()
    program.child.kill('SIGINT')
    await told('interrupted: finishing')
    program.child.kill('SIGINT')
    assert.equal(await program.ended, 130)
    assert.match(program.printed, /ended at once: whether the steps under way are done is not known/)
    assert.equal(there('slow'), false)
    // The step goes on by itself, and keeps the lock until it ends.
    go()
    await until('the step to end', 30_000, () => there('slow'))
  })

  it('goes on where it stopped when it is run again, and --failed means all of its hosts', async () => {
    await begin('-o', 'json')
    program.child.kill('SIGINT')
    await told('"type":"interrupted"')
    go()
    assert.equal(await program.ended, 130)
    assert.match(program.printed, /\n\{"type":"summary","ok":false,.*"stopped":"interrupted[^\n]*\}\n$/)
    const again = start(project, ['apply', '--failed', '-v'])
    assert.equal(await again.ended, 0, again.printed)
    assert.match(again.printed, /^rpi1 +ok +slow/m)
    assert.match(again.printed, /^rpi2 +changed +file .*two-rpi2/m)
  })

  it('by nobody, but killed, leaves whole lines in its journal, and --failed means all of its hosts', async () => {
    await begin()
    program.child.kill('SIGKILL')
    await program.ended
    go()
    const runs = join(project.directory, '.bramble/runs')
    const [name = ''] = readdirSync(runs)
    const lines = readFileSync(join(runs, name, 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
    assert.deepEqual([...new Set(lines.map((line) => typeof JSON.parse(line)))], ['object'])
    const again = start(project, ['apply', '--failed', '-v'])
    assert.equal(await again.ended, 0, again.printed)
    assert.match(again.printed, /2 hosts\n$/)
  })
})

describe('a run that fails on one of its hosts', function () {
  this.timeout(120_000)

  it('is run again just there with --failed', async () => {
    const [one, other] = [await startSshd(), await startSshd()]
    const directory = mkdtempSync(join(tmpdir(), 'bramble-failed-'))
    const project = projectWith(
      { rpi1: localHost(one, 0), rpi2: localHost(other, 1) },
      `
import { command, play, playbook, sh } from 'bramble'
const at = (name) => ${JSON.stringify(`${directory}/`)} + name
const tasks = ({ name }) => [
  command({ title: 'touch', run: name === 'rpi1' ? sh\`: >\${at(name)}\` : sh\`[ -e \${at('mended')} ]; : >\${at(name)}\`, creates: at(name) }),
]
export default playbook({ name: 'site', plays: [play({ name: 'first', hosts: 'all', tasks })] })
`,
    )
    try {
      const first = start(project, ['apply'])
      assert.equal(await first.ended, 2, first.printed)
      assert.deepEqual(readdirSync(directory), ['rpi1'])
      writeFileSync(join(directory, 'mended'), '')
      const again = start(project, ['apply', '--failed', '-o', 'json'])
      assert.equal(await again.ended, 0, again.printed)
      const [begun = ''] = again.printed.split('\n')
      assert.deepEqual((JSON.parse(begun) as { hosts: string[] }).hosts, ['rpi2'])
    } finally {
      project.remove()
      rmSync(directory, { recursive: true, force: true })
      await Promise.all([one.stop(), other.stop()])
    }
  })
})
