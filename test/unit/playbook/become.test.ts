import assert from 'node:assert/strict'
import { InputError, TaskError } from '../../../src/errors.ts'
import { asUser } from '../../../src/playbook/become.ts'
import { bundle } from '../../../src/playbook/batch.ts'
import { resource, type Resource } from '../../../src/playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../../../src/playbook/sh.ts'
import { look } from '../../../src/modules/look.ts'
import { run, SHELLS } from '../modules/local.ts'

/** What only root may do, done without: the user stays who it is. The rest is real. */
const pretend = raw(`id() { echo 1000; }
setpriv() { while [ "$1" != -- ]; do shift; done; shift; "$@"; }`)
const asMyself = (script: Sh): Sh => lines(pretend, asUser('pi', script))

const wants = (becomeUser?: string): Resource =>
  resource(
    {
      title: 'rose',
      probe: sh`cat rose`,
      plan: ({ stdout }) => (stdout === 'red' ? undefined : { diff: '+ red', apply: sh`printf red >rose` }),
    },
    becomeUser === undefined ? {} : { becomeUser },
  )

const at = (path: string, user?: string): Sh =>
  resource(
    { title: path, probe: look(path, 'attributes'), plan: () => undefined },
    user === undefined ? {} : { becomeUser: user },
  ).probe

const runAsMyself = (shell: string, script: Sh, input = '') =>
  run(asMyself(script), { shell, strict: true, input: Buffer.from(input) })

describe('a task as a user', () => {
  it('looks and changes as the user, and is root’s by default', () => {
    const seen = { code: 0, stdout: 'white' }
    assert.equal(wants().probe.text, 'cat rose')
    assert.equal(wants().plan(seen)?.apply.text, 'printf red >rose')
    assert.equal(wants('pi').probe.text, asUser('pi', sh`cat rose`).text)
    assert.equal(wants('pi').plan(seen)?.apply.text, asUser('pi', raw('set -e\nprintf red >rose')).text)
    assert.equal(wants('pi').plan({ code: 0, stdout: 'red' }), undefined)
  })

  it('fails with the name of a user whom the host does not have', () => {
    const user = 'bramble-none'
    const seen = run(wants(user).probe)
    assert.throws(
      () => wants(user).plan(seen),
      (error) =>
        error instanceof TaskError &&
        /^there is no user bramble-none on this host$/.test(error.message) &&
        /user\(\{ name: "bramble-none" \}\)/.test(error.details.next ?? ''),
    )
  })

  it('takes the same exit code for the probe’s own when it says nothing of a user', () => {
    assert.ok(wants('pi').plan({ code: 67, stdout: '' }))
  })

  for (const name of ['', '-r', 'a b', 'a:b', '0', 'a\0']) {
    it(`is refused when ${JSON.stringify(name)} is to be the user`, () => {
      assert.throws(() => wants(name), InputError)
    })
  }

  it('shares its probes with those of the same user only', () => {
    const probes = [at('/a'), at('/b', 'pi'), at('/c'), at('/d', 'rose'), at('/e', 'pi'), at('/f', 'rose')]
    const { commands, read } = bundle(probes)
    const paths = commands.map((command) => [...command.matchAll(/(?<=set --.*) \/[a-f]\b/g)].join(''))
    assert.deepEqual(paths, [' /a /c', ' /b /e', ' /d /f'])
    assert.deepEqual(
      commands.map((command) => /--reuid (\w+)/.exec(command)?.[1]),
      [undefined, 'pi', 'rose'],
    )
    const absent = { code: 0, stdout: ':absent:absent\n' }
    const missing = { code: 67, stdout: 'there is no user rose on this host\n' }
    assert.deepEqual(
      read([absent, absent, missing]).map((seen) => seen?.stdout),
      [':absent\n', ':absent\n', ':absent\n', undefined, ':absent\n', undefined],
    )
  })

  for (const shell of SHELLS) {
    describe(`with ${shell}`, () => {
      it('has the stdin that was meant for it', () => {
        const { code, stdout } = runAsMyself(
          shell,
          sh`read -r line; echo "got $line"; cat`,
          'first\nsecond\n',
        )
        assert.deepEqual([code, stdout], [0, 'got first\nsecond\n'])
      })

      it('exits as its script does', () => {
        assert.equal(runAsMyself(shell, sh`exit 3`).code, 3)
        assert.equal(runAsMyself(shell, sh`if`).code === 0, false)
      })

      it('may be longer than an argument, and hold any text', () => {
        const text = `it's "odd": $(id) \\ %s\n`.repeat(20_000)
        const { code, stdout, stderr } = runAsMyself(shell, sh`printf %s ${text} | wc -c`)
        assert.deepEqual([code, stdout.trim(), stderr], [0, String(text.length), ''])
      })

      it('leaves no descriptor open', () => {
        const { stdout } = runAsMyself(
          shell,
          sh`for fd in 3 4; do (true <&$fd) 2>/dev/null && echo "$fd is open"; done; echo told`,
        )
        assert.equal(stdout, 'told\n')
      })
    })
  }
})
