import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { authorizedKey, type AuthorizedKeyOptions } from '../../../src/modules/authorized-key.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import { lines, raw, sh } from '../../../src/playbook/sh.ts'
import { ivy, old, rose } from './keys-fixture.ts'
import { converge, plan, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const directory = '1000 700 directory'
const file = '1000 600 regular file'
const seen = (...contents: string[]) =>
  ['1000', '/home/pi', '1000 755 directory', directory, file].join('\n') +
  `\n${contents.map((line) => `${line}\n`).join('')}`
const bare = '1000\n/home/pi\n1000 755 directory\n\n\n'

const make =
  (options: Partial<AuthorizedKeyOptions> = {}) =>
  () =>
    authorizedKey({ user: 'pi', keys: rose, ...options })

describe('authorizedKey', () => {
  const anew = rose.replace('rose@laptop', 'rose@desk')
  table([
    { title: 'is content when the key is there', make: make(), seen: seen(old, rose), expect: 'ok' },
    { title: 'knows a key by its body, not its comment', make: make(), seen: seen(anew), expect: 'ok' },
    { title: 'keeps the options of a key', make: make(), seen: seen(`restrict ${rose}`), expect: 'ok' },
    {
      title: 'knows a key behind options with blanks and quotes',
      make: make(),
      seen: seen(`command="echo \\"a b\\"",no-pty ${rose}`),
      expect: 'ok',
    },
    {
      title: 'does not take a key in a comment, or in an option, for one that lets in',
      make: make(),
      seen: seen(`# ${rose}`, `command="${rose}" ${ivy}`),
      expect: 'change',
      diff: `+${rose}`,
    },
    {
      title: 'is content without a newline at the end',
      make: make(),
      seen: seen(rose).trimEnd(),
      expect: 'ok',
    },
    {
      title: 'adds a key below the others',
      make: make(),
      seen: seen(old),
      expect: 'change',
      diff: ` ${old}\n+${rose}`,
      apply: /mv -T -f [^]*--reuid pi /,
    },
    {
      title: 'gives a key the options that are asked for',
      make: make({ keys: `restrict,pty ${rose}` }),
      seen: seen(rose, old),
      expect: 'change',
      diff: `-${rose}\n+restrict,pty ${rose}\n ${old}`,
    },
    {
      title: 'leaves one where a key stands twice',
      make: make(),
      seen: seen(`restrict ${rose}`, old, anew),
      expect: 'change',
      diff: ` ${old}\n-${anew}`,
    },
    {
      title: 'removes all others when exclusive, and keeps comments',
      make: make({ exclusive: true }),
      seen: seen('# mine', old, rose, 'future-type AAAA'),
      expect: 'change',
      diff: ` # mine\n-${old}\n ${rose}\n-future-type AAAA`,
    },
    {
      title: 'removes a key, whatever its comment and options',
      make: make({ state: 'absent' }),
      seen: seen(`restrict ${anew}`, old),
      expect: 'change',
      diff: `-restrict ${anew}\n ${old}`,
    },
    { title: 'has nothing to remove', make: make({ state: 'absent' }), seen: bare, expect: 'ok' },
    {
      title: 'makes the directory and the file',
      make: make(),
      seen: bare,
      expect: 'change',
      diff: /^- \/home\/pi\/.ssh absent\n\+ \/home\/pi\/.ssh mode 0700\n--- \/dev\/null/,
      apply: 'mkdir -m 0700 -- /home/pi/.ssh',
    },
    {
      title: 'mends the modes',
      make: make(),
      seen: seen(rose).replace(' 700 ', ' 2755 ').replace(' 600 ', ' 664 '),
      expect: 'change',
      diff: /^- \S+ mode 2755\n\+ \S+ mode 0700\n- \S+ mode 0664\n\+ \S+ mode 0600$/,
      apply: /chmod 00700 -- \/home\/pi\/\.ssh\nchmod 0600 -- \/home\/pi\/\.ssh\/authorized_keys'/,
    },
    {
      title: 'does not follow a link in place of the file',
      make: make(),
      seen: seen(rose).replace(file, '1000 777 symbolic link'),
      expect: 'error',
      error: /\/home\/pi\/\.ssh\/authorized_keys is not as the user's own has to be/,
    },
    {
      title: 'does not follow a link in place of the directory',
      make: make(),
      seen: seen(rose).replace(directory, '1000 777 symbolic link'),
      expect: 'error',
      error: /\/home\/pi\/\.ssh is not as/,
    },
    {
      title: 'leaves a file of somebody else alone',
      make: make(),
      seen: seen(rose).replace(file, '0 600 regular file'),
      expect: 'error',
      error: /not as the user's own/,
    },
    {
      title: 'does not take a directory that cannot be looked into for an empty one',
      make: make(),
      seen: bare.replace('directory\n\n', 'directory\n1000 600 directory\n'),
      expect: 'error',
      error: /\.ssh is not as/,
    },
    {
      title: 'names the user whom there is not',
      make: make(),
      seen: { code: 67, stdout: 'there is no user pi on this host\n' },
      expect: 'error',
      error: /there is no user pi/,
    },
    {
      title: 'names the home that there is not',
      make: make(),
      seen: '1000\n/home/pi\n\n\n\n',
      expect: 'error',
      error: /home directory of pi is not there/,
    },
    { title: 'says so when it cannot look', make: make(), seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  const refused: Record<string, Partial<AuthorizedKeyOptions>> = {
    'no key': { keys: [] },
    'a private key': { keys: '-----BEGIN OPENSSH PRIVATE KEY-----' },
    'a key that was cut off': { keys: rose.slice(0, 60) },
    'a key of another type than it says': { keys: rose.replace('ssh-ed25519', 'ssh-rsa') },
    'a user name that is none': { user: '-r' },
    'exclusive together with absent': { exclusive: true, state: 'absent' },
  }
  for (const [what, options] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.throws(make(options), InputError))
  }

  const directories = temporary()
  const path = () => join(directories.path, '.ssh/authorized_keys')
  const at = (options: Partial<AuthorizedKeyOptions> = {}) => inHome(directories.path, make(options)())
  for (const shell of SHELLS) {
    describe(`in a home, with ${shell}`, () => {
      afterEach(() => rmSync(join(directories.path, '.ssh'), { recursive: true, force: true }))

      it('brings keys about, and takes them away', () => {
        converge(at({ keys: [rose, `from="10.0.0.0/8" ${ivy}\n`] }), shell)
        assert.equal(readFileSync(path(), 'utf8'), `${rose}\nfrom="10.0.0.0/8" ${ivy}\n`)
        assert.deepEqual(
          [path(), join(path(), '..')].map((one) => (statSync(one).mode & 0o7777).toString(8)),
          ['600', '700'],
        )
        converge(at({ keys: rose, state: 'absent' }), shell)
        assert.equal(readFileSync(path(), 'utf8'), `from="10.0.0.0/8" ${ivy}\n`)
      })

      it('mends modes, and a directory that hands down its group', () => {
        converge(at(), shell)
        chmodSync(join(path(), '..'), 0o2775)
        chmodSync(path(), 0o644)
        converge(at(), shell)
      })

      it('reads nothing through a link', () => {
        const elsewhere = join(directories.path, 'shadow')
        writeFileSync(elsewhere, `${rose}\n`)
        mkdirSync(join(path(), '..'), { mode: 0o700 })
        symlinkSync(elsewhere, path())
        assert.throws(() => plan(at(), shell), /authorized_keys is not as/)
      })
    })
  }
})

/** As if the user were who runs the tests, and had this home. Only what root alone may do is left out. */
function inHome(home: string, one: Resource): Resource {
  const pretend = lines(
    sh`HOME=${home}; export HOME`,
    raw(`id() { :; }; setpriv() { while [ "$1" != -- ]; do shift; done; shift; "$@"; }`),
  )
  return {
    ...one,
    probe: lines(pretend, one.probe),
    plan(found) {
      const change = one.plan(found)
      return change && { ...change, apply: lines(pretend, change.apply) }
    },
  }
}
