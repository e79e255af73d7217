import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { InputError, TaskError } from '../../../src/errors.ts'
import { file, type FileOptions } from '../../../src/modules/file.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { apply, converge, ME, plan, run, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const text = (stat: string, content: string): string => `${stat}\n${content}`
const rootFile = (size: number): string => `:there\n81a4 0 0 root root ${size}`

const make = () => file({ path: '/etc/motd', content: 'hello\n' })

describe('file', () => {
  table([
    {
      title: 'is made where there is none',
      make,
      seen: ':absent\n',
      expect: 'change',
      diff: '--- /dev/null\n+++ /etc/motd',
    },
    { title: 'is left alone when it is so', make, seen: text(rootFile(6), 'hello\n'), expect: 'ok' },
    {
      title: 'shows what changes in it',
      make,
      seen: text(rootFile(4), 'bye\n'),
      expect: 'change',
      diff: '-bye\n+hello',
    },
    {
      title: 'gets its mode without being written again',
      make,
      seen: text(':there\n8180 0 0 root root 6', 'hello\n'),
      expect: 'change',
      diff: '- owner root:root mode 0600\n+ owner root:root mode 0644',
      apply: /^chown root:root \/etc\/motd && chmod 00644 \/etc\/motd$/,
    },
    {
      title: 'takes an owner by number',
      make: () => file({ path: '/etc/motd', content: 'hello\n', owner: '1000', group: '1000' }),
      seen: text(':there\n81a4 1000 1000 UNKNOWN UNKNOWN 6', 'hello\n'),
      expect: 'ok',
    },
    {
      title: 'that is large does not print what was there',
      make,
      seen: rootFile(70000),
      expect: 'change',
      diff: '- 70000 bytes',
    },
    { title: 'replaces a symbolic link', make, seen: ':link\n', expect: 'change', diff: '- a symbolic link' },
    {
      title: 'does not replace a directory',
      make,
      seen: ':there\n41ed 0 0 root root 4096\n',
      expect: 'error',
      error: /not a regular/,
    },
    {
      title: 'does not replace a device',
      make,
      seen: ':there\n21b6 0 0 root root 0\n',
      expect: 'error',
      error: /not a regular/,
    },
    {
      title: 'says so when the probe fails',
      make,
      seen: { code: 1, stdout: '' },
      expect: 'error',
      error: /could not look/,
    },
    {
      title: 'with a secret shows nothing of the old or the new',
      make: () => file({ path: '/etc/key', content: new Secret('sesame') }),
      seen: text(rootFile(7), ''),
      expect: 'change',
      diff: /^- \*\*\*\n\+ \*\*\*$/,
    },
    {
      title: 'with a secret does not read it back',
      make: () => file({ path: '/etc/key', content: new Secret('hello\n') }),
      seen: text(
        rootFile(6),
        'f60ce482e5cc1229f39d71313171a8d9f4ca3a87d066bf4b205effb528192a75f14f3271e2c1a90e1de53f275b4d4793eef2f5e31ea90d2ce29d2e481c36435f  -\n',
      ),
      expect: 'ok',
    },
  ])

  const wrong: [what: string, options: Partial<FileOptions>][] = [
    ['half a character in the content', { content: 'half a 🍇: \uD83C' }],
    ['half a character in the path', { path: '/etc/\uD83C' }],
    ['no owner', { owner: '' }],
    ['an owner with a group', { owner: 'root:root' }],
    ['an owner that looks like an option', { owner: '--from=0' }],
    ['a group of two lines', { group: 'a\nb' }],
    ['a NUL in the group', { group: 'a\0' }],
  ]
  for (const [what, options] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(() => file({ path: '/etc/x', content: '', ...options }), InputError)
    })
  }

  it('refuses a path or a mode that is none', () => {
    assert.throws(() => file({ path: 'etc/motd', content: '' }), InputError)
    assert.throws(() => file({ path: '/etc/motd', content: '', mode: 'rw' }), InputError)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()
      const at = (name: string): string => join(directory.path, name)

      const names = [
        'plain',
        'two words',
        "it's",
        '-rf',
        '$(touch x)',
        '`id`',
        'ü→',
        'new\nline',
        '"quoted"',
        'back\\slash',
        '*',
      ]
      for (const name of names) {
        it(`arrives under the name ${JSON.stringify(name)}`, () => {
          converge(file({ ...ME, path: at(name), content: `${name}\n` }), shell)
          assert.equal(readFileSync(at(name), 'utf8'), `${name}\n`)
        })
      }

      const contents: Record<string, string | Buffer | Secret> = {
        empty: '',
        'without a last newline': 'a\nb',
        'of newlines': '\n\n\n',
        'that looks like shell': `'"$(id)\`id\`\\n%s\\0 $HOME\nEND\n`,
        'with umlauts': 'äöü €\n',
        'with a byte order mark': '\uFEFFtext\n',
        'with carriage returns': 'a\r\nb\r\n',
        'with a NUL': 'a\0b\n',
        'of all bytes': Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
        'of half a character': Buffer.from([0xf0, 0x9f, 0x98]),
        'of 64 KiB of quotes': "'".repeat(65536),
        'of more than a script can carry': 'x'.repeat(300_000),
        'that is secret': new Secret('open sesame\n'),
      }
      for (const [name, content] of Object.entries(contents)) {
        it(`arrives with content ${name}`, () => {
          converge(file({ ...ME, path: at('content'), content }), shell)
          const wanted = content instanceof Secret ? content.reveal() : content
          assert.deepEqual(readFileSync(at('content')), Buffer.from(wanted))
          assert.equal(
            readdirSync(directory.path).some((one) => one.startsWith('.bramble')),
            false,
          )
        })
      }

      it('is not taken for the same because it decodes to the same', () => {
        writeFileSync(at('bytes'), Buffer.from([0xf0, 0x9f, 0x98]))
        converge(file({ ...ME, path: at('bytes'), content: '\uFFFD' }), shell)
        assert.equal(readFileSync(at('bytes'), 'utf8'), '\uFFFD')
      })

      it('gets owner and mode back when someone changed them', () => {
        const one = file({ ...ME, path: at('rights'), content: 'x', mode: '4750' })
        converge(one, shell)
        chmodSync(at('rights'), 0o666)
        converge(one, shell)
        assert.equal(lstatSync(at('rights')).mode & 0o7777, 0o4750)
      })

      it('stays as it was, with nothing beside it, when the new content is not valid', () => {
        writeFileSync(at('valid'), 'old\n')
        const one = file({
          path: at('valid'),
          content: 'new\n',
          validate: (candidate) => sh`grep -q old ${candidate}`,
        })
        const change = plan(one, shell)
        assert.ok(change)
        const { code, stderr } = apply(change, shell)
        assert.notEqual(code, 0)
        assert.match(stderr, /valid is not valid/)
        assert.equal(readFileSync(at('valid'), 'utf8'), 'old\n')
        assert.equal(
          readdirSync(directory.path).some((one) => one.startsWith('.bramble')),
          false,
        )
      })

      it('stays as it was when the connection is lost before a large content has arrived', () => {
        writeFileSync(at('cut'), 'old\n')
        const change = plan(file({ ...ME, path: at('cut'), content: 'x'.repeat(200_000) }), shell)
        assert.ok(change)
        const { code, stderr } = run(change.apply, { shell, strict: true, input: Buffer.alloc(70_000, 'x') })
        assert.notEqual(code, 0)
        assert.match(stderr, /did not arrive whole/)
        assert.equal(readFileSync(at('cut'), 'utf8'), 'old\n')
        assert.equal(
          readdirSync(directory.path).some((one) => one.startsWith('.bramble')),
          false,
        )
      })

      it('is replaced when the new content is valid', () => {
        converge(
          file({
            path: at('valid'),
            content: 'new\n',
            validate: (candidate) => sh`grep -q new ${candidate}`,
          }),
          shell,
        )
      })

      it('does not write through what a stranger left under the temporary name', () => {
        mkdirSync(at('open'))
        const one = file({ ...ME, path: at('open/file'), content: 'new\n' })
        const change = plan(one, shell)
        const temporaryName = /\.bramble-[0-9a-f]{12}/.exec(change?.apply.text ?? '')?.[0] ?? 'none'
        writeFileSync(at('victim'), 'mine\n')
        symlinkSync(at('victim'), at(`open/${temporaryName}`))
        converge(one, shell)
        assert.equal(readFileSync(at('victim'), 'utf8'), 'mine\n')
        assert.deepEqual(readdirSync(at('open')), ['file'])
      })

      it('takes the place of a symbolic link, not of what it points to', () => {
        writeFileSync(at('target'), 'target\n')
        symlinkSync(at('target'), at('symlink'))
        converge(file({ ...ME, path: at('symlink'), content: 'mine\n' }), shell)
        assert.equal(readFileSync(at('target'), 'utf8'), 'target\n')
      })

      it('fails where its directory is missing', () => {
        const change = plan(file({ ...ME, path: at('nowhere/file'), content: 'x' }), shell)
        assert.ok(change)
        assert.notEqual(apply(change, shell).code, 0)
      })

      it('says that a directory is in the way', () => {
        mkdirSync(at('directory'))
        assert.throws(() => plan(file({ ...ME, path: at('directory'), content: 'x' }), shell), TaskError)
      })
    })
  }
})
