import assert from 'node:assert/strict'
import { chmodSync, lstatSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError, TaskError } from '../../../src/errors.ts'
import { line, type LineOptions } from '../../../src/modules/line.ts'
import { apply, converge, plan, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const seen = (text: string): string => `:there\n81a4 0 0 root root ${Buffer.byteLength(text)}\n${text}`

describe('line', () => {
  const path = '/etc/ssh/sshd_config'
  const port = () => line({ path, match: /^#?Port/, line: 'Port 22' })
  table([
    { title: 'is left alone when it is there', make: port, seen: seen('A\nPort 22\n'), expect: 'ok' },
    {
      title: 'takes the place of the one that matches',
      make: port,
      seen: seen('#Port 1\nB\n'),
      expect: 'change',
      diff: '-#Port 1\n+Port 22\n B',
    },
    {
      title: 'takes the place of the last that matches',
      make: port,
      seen: seen('Port 1\nPort 2\n'),
      expect: 'change',
      diff: ' Port 1\n-Port 2\n+Port 22',
    },
    {
      title: 'is appended when none matches',
      make: port,
      seen: seen('A\n'),
      expect: 'change',
      diff: ' A\n+Port 22',
    },
    {
      title: 'is appended after a last line without newline',
      make: port,
      seen: seen('A'),
      expect: 'change',
      apply: "'A\nPort 22\n'",
    },
    { title: 'is all of an empty file', make: port, seen: seen(''), expect: 'change', diff: '+Port 22' },
    {
      title: 'is not found twice by a pattern that remembers where it stopped',
      make: () => line({ path, match: /^Port/g, line: 'Port 22' }),
      seen: seen('Port 22\nA\n'),
      expect: 'ok',
    },
    {
      title: 'that shall be absent is removed wherever it is',
      make: () => line({ path, line: 'A', state: 'absent' }),
      seen: seen('A\nB\nA\n'),
      expect: 'change',
      apply: "'B\n'",
    },
    {
      title: 'that shall be absent and is, is fine',
      make: () => line({ path, match: '^A', state: 'absent' }),
      seen: seen('B'),
      expect: 'ok',
    },
    {
      title: 'that shall be absent does not mind a missing file',
      make: () => line({ path, match: '^A', state: 'absent' }),
      seen: ':absent\n',
      expect: 'ok',
    },
    {
      title: 'is promised for a file that is not there yet, and fails if it still is not',
      make: port,
      seen: ':absent\n',
      expect: 'change',
      diff: '- no file',
      apply: 'exit 1',
    },
    {
      title: 'makes the file if it may',
      make: () => line({ path, line: 'A', create: true }),
      seen: ':absent\n',
      expect: 'change',
      diff: '/dev/null',
    },
    {
      title: 'keeps owner and mode',
      make: port,
      seen: ':there\n8180 7 8 lp mail 2\nA\n',
      expect: 'change',
      apply: /chown 7:8 .* && chmod 0600/,
    },
    {
      title: 'does not touch what is no text',
      make: port,
      seen: ':there\n81a4 0 0 root root 4\n\uFFFD\n',
      expect: 'error',
      error: /not a text file/,
    },
    {
      title: 'does not touch a directory',
      make: port,
      seen: ':there\n41ed 0 0 root root 4096\n',
      expect: 'error',
      error: /not a text file/,
    },
  ])

  const bad: [string, LineOptions][] = [
    ['no line', { path }],
    ['neither line nor pattern to remove', { path, state: 'absent' }],
    ['a NUL', { path, line: 'a\0' }],
    ['what stands for bytes that are no text', { path, line: '\uFFFD' }],
    ['half a character', { path, line: '\uD83C' }],
    ['a newline', { path, line: 'a\nb' }],
    ['a pattern that does not match the new line', { path, match: /^#Port/, line: 'Port 22' }],
  ]
  for (const [title, options] of bad) {
    it(`refuses ${title}`, () => assert.throws(() => line(options), InputError))
  }

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()
      const at = (name: string): string => join(directory.path, name)

      it('changes, then is clean, and is put back when it drifts', () => {
        const one = line({ path: at("it's a -file"), match: '^name=', line: `name='$(id)' "ü" \\` })
        writeFileSync(at("it's a -file"), 'a\nname=x\nb')
        chmodSync(at("it's a -file"), 0o600)
        converge(one, shell)
        assert.equal(readFileSync(at("it's a -file"), 'utf8'), `a\nname='$(id)' "ü" \\\nb\n`)
        writeFileSync(at("it's a -file"), 'name=drift\n')
        converge(one, shell)
        assert.equal(lstatSync(at("it's a -file")).mode & 0o777, 0o600)
      })

      it('edits what a symbolic link points to, and leaves the link', () => {
        writeFileSync(at('target'), 'a\n')
        symlinkSync('target', at('link'))
        converge(line({ path: at('link'), line: 'b' }), shell)
        assert.equal(readFileSync(at('target'), 'utf8'), 'a\nb\n')
        assert.equal(readlinkSync(at('link')), 'target')
      })

      it('fails for a file that is not there', () => {
        const change = plan(line({ path: at('none'), line: 'a' }), shell)
        assert.ok(change)
        assert.match(apply(change, shell).stderr, /there is no file/)
      })

      it('refuses bytes that are no text', () => {
        writeFileSync(at('bytes'), Buffer.from([0xff, 0xfe, 0x0a]))
        assert.throws(() => plan(line({ path: at('bytes'), line: 'a' }), shell), TaskError)
      })
    })
  }
})
