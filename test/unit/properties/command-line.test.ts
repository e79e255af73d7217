import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { commandLine } from '../cli/bramble.ts'
import { patience, runs, seed } from './settings.ts'
import { text, words } from './texts.ts'

describe('anything on the command line', () => {
  const line = commandLine()

  it(`ends with a result or an error of its own (seed ${seed})`, async function () {
    this.timeout(patience(60_000))
    const prefix = fc.constantFrom(
      ...['--limit', '-l', '--tags', '--failed -l', '--forks', '-i', '-o', '', '--'].map(words),
    )
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.constant('apply') },
      fc.constantFrom('list', 'exec', '__proto__', 'constructor', 'toString', '', '--help'),
      text,
    )
    const journal = fc.oneof(
      fc.constantFrom(
        ...words('null [] {} "x" 1 {"type":"failed"} {"type":"failed","host":1}').map((line) => `${line}\n`),
        '',
        '\n',
        '{"type":"failed","host":"rpi1"}\n{"ty',
      ),
      text,
    )
    const value = fc.oneof(
      text,
      fc.constantFrom(...words('rpi1 all:!rpi1 ~( __proto__ , -1 1e9 NaN web /dev/null ..')),
    )
    await fc.assert(
      fc.asyncProperty(command, prefix, value, journal, async (command, prefix, value, journal) => {
        line.put(
          'inventory/hosts.yml',
          'all:\n  hosts:\n    rpi1: { ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: root }\n',
        )
        line.put(
          'site.ts',
          "export default { name: 'x', plays: [{ name: 'x', hosts: 'all', tags: ['web'], tasks: () => [] }] }\n",
        )
        line.put('.bramble/runs/99990101T000000.000Z-1/events.jsonl', journal)
        const typed =
          command === 'apply' ? ['apply', 'site.ts', ...prefix, value] : [command, ...prefix, value]
        const { code, stderr } = await line.bramble(typed)
        assert.ok([0, 1, 2, 3, 4].includes(code), `exit code ${code}`)
        assert.doesNotMatch(stderr, /bug in bramble|main threw/)
      }),
      runs(1 / 20),
    )
  })
})
