import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { terminal } from './terminal.ts'

const run = promisify(execFile)
const program = `${process.execPath} --import tsx test/unit/report/play-events.ts`

/** Runs a command on a terminal of 80 by 24 characters. */
async function onTerminal(command: string): Promise<string> {
  const inner = `stty cols 80 rows 24; exec ${command}`
  const { stdout } = await run('script', ['-qfec', inner, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '' },
  })
  return stdout
}

describe('report on a terminal', function () {
  this.timeout(60_000)
  let coloured: string
  let colourless: string
  let dumb: string
  let piped: string

  before(async () => {
    const pipe = run('sh', ['-c', program]).then(({ stdout }) => stdout)
    const runs = [onTerminal(program), onTerminal(`env NO_COLOR=1 ${program}`)]
    ;[coloured = '', colourless = '', dumb = '', piped = ''] = await Promise.all([
      ...runs,
      onTerminal(`env TERM=dumb ${program}`),
      pipe,
    ])
  })

  it('draws live rows, and keeps failures above them', () => {
    const { seen } = terminal(coloured)
    const some = (row: RegExp): void =>
      assert.ok(
        [...seen].some((text) => row.test(text)),
        [...seen].join('\n'),
      )
    some(/^playbooks\/site\.ts › docker {2}0:\d\d$/)
    some(/^✖ rpi1 {3}0 ok {3}0 changed {2}1 failed/)
    some(/^· rpi3 .* waiting$/)
  })

  it('leaves nothing but the report and what others said meanwhile', () => {
    const { screen } = terminal(coloured)
    assert.doesNotMatch(screen, /›|✖|·/)
    assert.match(
      screen,
      /^rpi2  unreachable  cannot be reached\nplay docker\nrpi1  failed       service docker: exit code 1 \(12 s\)\n/,
    )
    assert.match(screen, /\n0 changed in 15 s, 3 hosts, 1 failed, 1 unreachable\nafter the report\n$/)
    assert.equal(screen.split('said by something else').length, 2)
    assert.equal(screen.split('failed rpi1: service docker').length, 2)
  })

  it('hides the cursor only while rows are live', () => {
    assert.ok(coloured.includes('\u001B[?25l'))
    assert.ok(coloured.lastIndexOf('\u001B[?25h') > coloured.lastIndexOf('\u001B[?25l'))
  })

  it('uses no colours where NO_COLOR is set', () => {
    assert.ok(coloured.includes('\u001B[31m'))
    assert.ok(!colourless.includes('\u001B[31m'))
    assert.equal(terminal(colourless).screen.includes('rpi2  unreachable'), true)
  })

  it('becomes plain lines where the output is no terminal or a dumb one', () => {
    for (const text of [dumb.replaceAll('\r', ''), piped]) {
      assert.match(text, /^play docker\n/)
      assert.ok(!text.includes('\u001B'))
    }
  })
})
