import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { look, parseLook } from '../../../src/modules/look.ts'
import { bundle } from '../../../src/playbook/batch.ts'
import { lines, raw } from '../../../src/playbook/sh.ts'
import { run, SHELLS, temporary } from './local.ts'

const NAMES = [
  "it's",
  'missing',
  '-rf',
  'empty',
  'folder',
  'link',
  'new\nline',
  'broken',
  'ü',
  'zeros',
  'large',
  'fifo',
]

describe('what a probe told of a path', () => {
  for (const shell of SHELLS) {
    it(`keeps a backslash in the names of owner and group, as a Windows domain's have (${shell})`, () => {
      const stat = raw(String.raw`stat() { printf '%s\n' '41ed 0 0 CORP\nick CORP\tom 0'; }`)
      const { stdout } = run(lines(stat, look('/etc', 'attributes')), { shell })
      const { kind, user, group } = parseLook(stdout)
      assert.deepEqual([kind, user, group], ['directory', String.raw`CORP\nick`, String.raw`CORP\tom`])
    })
  }
})

describe('probes of several paths in one command', () => {
  const directory = temporary()
  const at = (name: string): string => join(directory.path, name)
  before(() => {
    for (const name of ["it's", '-rf', 'new\nline', 'ü']) writeFileSync(at(name), `${name}\n\n`)
    writeFileSync(at('empty'), '')
    writeFileSync(at('zeros'), 'a\0b')
    writeFileSync(at('large'), 'x'.repeat(70_000))
    mkdirSync(at('folder'))
    symlinkSync('ü', at('link'))
    symlinkSync('nowhere', at('broken'))
    run(raw(`mkfifo '${at('fifo')}'`))
  })

  for (const shell of SHELLS) {
    for (const how of ['text', 'hash', 'edit', 'attributes'] as const) {
      it(`tell of each what its own probe tells (${how}, ${shell})`, () => {
        const probes = NAMES.map((name) => look(at(name), how))
        const together = bundle(probes)
        assert.equal(together.commands.length, 1)
        const seen = together.read(together.commands.map((command) => run(raw(command), { shell })))
        const alone = probes.map((probe) => run(probe, { shell }))
        assert.deepEqual(
          seen,
          alone.map(({ code, stdout }) => ({ code, stdout })),
        )
      })
    }

    it(`are each run alone when bytes that are no text make them run into one another (${shell})`, () => {
      writeFileSync(at('bytes'), Buffer.from([0xff, 0xfe]))
      const together = bundle([look(at('bytes'), 'text'), look(at('ü'), 'text')])
      assert.deepEqual(together.read(together.commands.map((command) => run(raw(command), { shell }))), [
        undefined,
        undefined,
      ])
    })
  }
})
