import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSshd, type Sshd } from '../sshd.ts'
import { localHost, projectWith, start } from './program.ts'
import type { Project } from './project.ts'

/** The words of a program that runs another in mounts of its own, after a script. */
const within = (script: string) => ['unshare', '--mount', 'sh', '-ec', `${script}\nexec "$@"`, 'sh']

describe('this computer’s own disk', function () {
  this.timeout(120_000)
  let sshd: Sshd
  let directory: string
  let project: Project

  before(async () => {
    sshd = await startSshd()
  })
  after(() => sshd?.stop())

  const at = (name: string) => join(directory, name)
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-disk-'))
    project = projectWith(
      { rpi1: localHost(sshd, 0) },
      `
import { command, file, play, playbook, sh } from 'bramble'
const tasks = () => [
  command({ title: 'talk', run: sh\`seq 1 500; seq 501 1000 >&2; : >${at('one')}\`, creates: ${JSON.stringify(at('one'))} }),
  file({ path: ${JSON.stringify(at('two'))}, content: 'x' }),
  command({ title: 'stumble', run: sh\`seq 1 100; seq 1 100 >&2; exit 3\`, unless: sh\`[ ! -e ${at('fail')} ]\` }),
]
export default playbook({ name: 'site', plays: [play({ name: 'all', hosts: 'all', tasks })] })
`,
    )
    mkdirSync(join(project.directory, '.bramble'))
  })
  afterEach(() => {
    project.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  const cases: [what: string, inside: string[], warnings: RegExp[]][] = [
    [
      'that is full ends no run, and what could not be kept is told',
      within('mount -t tmpfs -o size=4k tmpfs .bramble; : >.bramble/known_hosts; echo x >.bramble/rest'),
      [
        /^warning: the journal .* cannot be written: .*ENOSPC/m,
        /^warning: the key of rpi1 could not be recorded/m,
      ],
    ],
    [
      'that may not be written ends no run, and what could not be kept is told',
      within('mount --bind . .; mount -o remount,ro,bind .; cd .'),
      [
        /^warning: the journal .* cannot be written: .*EROFS/m,
        /^warning: the key of rpi1 could not be recorded/m,
      ],
    ],
    [
      'that is full ends no run whose report it takes',
      within('exec >/dev/full'),
      [/^warning: the report cannot be written: .*ENOSPC/m],
    ],
  ]
  for (const [what, inside, warnings] of cases) {
    it(what, async () => {
      const program = start(project, ['apply', '-v'], inside)
      assert.equal(await program.ended, 0, program.printed)
      assert.deepEqual([existsSync(at('one')), existsSync(at('two'))], [true, true])
      for (const warning of warnings) assert.match(program.printed, warning)
    })
  }

  it('is not needed for a run that nobody reads any more', async () => {
    const program = start(project, ['apply', '-v'])
    program.child.stdout?.destroy()
    assert.equal(await program.ended, 0, program.printed)
    assert.ok(existsSync(at('two')))
  })

  it('keeps of each run what --output json prints, with all that changes and failures printed', async () => {
    writeFileSync(at('fail'), '')
    const program = start(project, ['apply', '-o', 'json'])
    assert.equal(await program.ended, 2)
    const runs = join(project.directory, '.bramble/runs')
    const [run = ''] = readdirSync(runs)
    const kept = readFileSync(join(runs, run, 'events.jsonl'), 'utf8')
    assert.equal(kept, program.printed)
    const outputs = kept
      .split('\n')
      .flatMap((line) => (line.includes('"output"') ? [JSON.parse(line) as { output: string }] : []))
    assert.deepEqual(
      outputs.map(({ output }) => output.split('\n').length - 1),
      [1000, 0, 200],
    )
  })
})
