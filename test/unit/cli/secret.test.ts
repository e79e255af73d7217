import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { armor, Encrypter } from 'age-encryption'
import { blocks, read } from '../docs/project.ts'
import { commandLine, type Told } from './bramble.ts'

const inventory = `all:
  hosts:
    rpi1: { ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: root, ansible_password: !secret login }
`
const site = `import { command, playbook, sh } from 'bramble'
const tasks = () => [command({ title: 'prune', run: sh\`true\`, creates: '/srv/never' })]
export default playbook({ name: 'test', plays: [{ name: 'one', hosts: 'all', tasks }] })
`

/** An editor that runs this program of sed. */
const editor = (program: string) => ({ env: { EDITOR: `sed -i '${program}'` } })

describe('bramble secret', function () {
  // A passphrase is made slow to try.
  this.timeout(60_000)
  const line = commandLine()
  const file = () => join(line.folder, 'inventory/secrets.age')
  let recipient = ''

  const secret = (
    words: string[],
    { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
  ) =>
    line.bramble(
      ['secret', ...words],
      { HOME: line.folder, XDG_CONFIG_HOME: '', EDITOR: 'false', ...env },
      '.',
      input,
    )

  const apply = (env: Record<string, string>): Promise<Told> =>
    line.bramble(['apply', 'site.ts', '-o', 'lines'], { HOME: line.folder, XDG_CONFIG_HOME: '', ...env })

  /** `secret`, which has to succeed; what it printed on stdout. */
  async function done(
    words: string[],
    options?: { input?: string; env?: Record<string, string> },
  ): Promise<string> {
    const { code, stdout, stderr } = await secret(words, options)
    assert.equal(code, 0, stderr)
    return stdout
  }

  beforeEach(async () => {
    line.put('inventory/hosts.yml', inventory)
    line.put('site.ts', site)
    recipient = (await done(['keygen'])).trim()
  })

  it('makes an identity that only its owner can read, prints its recipient, and keeps the one that is there', async () => {
    const path = join(line.folder, '.config/bramble/age-identity')
    assert.match(recipient, /^age1[a-z0-9]{58}$/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.match(readFileSync(path, 'utf8'), /^# public key: age1\w+\nAGE-SECRET-KEY-1\w+\n$/)
    const before = readFileSync(path, 'utf8')
    const { code, stderr } = await secret(['keygen'])
    assert.equal(code, 1)
    assert.match(stderr, /age-identity cannot be made\n[^]*EEXIST/)
    assert.equal(readFileSync(path, 'utf8'), before)
  })

  it('keeps values, tells, lists and forgets them; whatever they are', async () => {
    const values = { b: `it's "odd" $HOME \\n ü🌱`, a: 'yes', 'c.d-e_1': '-----BEGIN\nKEY\n', n: '0042' }
    for (const [name, value] of Object.entries(values)) await done(['set', name], { input: value })
    for (const [name, value] of Object.entries(values)) assert.equal(await done(['get', name]), value)
    assert.equal(await done(['list']), 'a\nb\nc.d-e_1\nn\n')
    await done(['set', 'a'], { input: 'no' })
    assert.equal(await done(['get', 'a']), 'no')
    await done(['remove', 'b'])
    assert.equal(await done(['list']), 'a\nc.d-e_1\nn\n')
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(join(line.folder, 'inventory')), ['hosts.yml', 'secrets.age'])
  })

  it('takes off the line feed at the end of a single line, and no other', async () => {
    for (const [input, value] of [
      ['one\n', 'one'],
      ['one\r\n', 'one'],
      ['one\n\n', 'one\n\n'],
      [' a\nb\n', ' a\nb\n'],
    ] as const) {
      await done(['set', 'x'], { input })
      assert.equal(await done(['get', 'x']), value)
    }
  })

  it('opens them all in the editor, in memory where there is any, and removes what it showed', async () => {
    await done(['set', 'rose'], { input: 'thorn' })
    line.put(
      'editor',
      `#!/bin/sh
stat -c '%a %n' "$1" "\${1%/*}" >${line.folder}/seen; cp "$1" ${line.folder}/copy; echo 'ivy: |-\n  two\n  lines' >>"$1"\n`,
    )
    chmodSync(join(line.folder, 'editor'), 0o700)
    await done(['edit'], { env: { EDITOR: join(line.folder, 'editor') } })
    const [, shown = ''] =
      /^600 ((?:\/dev\/shm|\/tmp)\/bramble-\w+)\/secrets\.yml\n700 /.exec(
        readFileSync(join(line.folder, 'seen'), 'utf8'),
      ) ?? []
    assert.notEqual(shown, '')
    assert.match(readFileSync(join(line.folder, 'copy'), 'utf8'), /^# .*\nrose: thorn\n$/)
    assert.equal(await done(['get', 'ivy']), 'two\nlines')
    assert.equal(existsSync(shown), false)
  })

  const edits: Record<string, [program: string, env: Record<string, string>, says: RegExp]> = {
    'an editor that fails': ['', { EDITOR: 'false' }, /^the editor ended with code 1: nothing was saved\n/],
    'no YAML, given up': ['s/^rose:.*/rose: [thorn/', {}, /^this is no YAML: [^]*at line \d/],
    'a value that is no text, given up': ['s/^rose:.*/rose: 42/', {}, /^`rose` is no text\n[^]*in quotes/],
    'a list, given up': ['s/^rose:.*/- thorn/', {}, /^this is no list of secrets\n/],
  }
  for (const [what, [program, env, says]] of Object.entries(edits)) {
    it(`keeps what was there after ${what}, and shows no value`, async () => {
      await done(['set', 'rose'], { input: 'thorn' })
      const before = readFileSync(file(), 'utf8')
      const { code, stderr } = await secret(['edit'], { env: { ...editor(program).env, ...env } })
      assert.equal(code, 1)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr.split('found:')[0] ?? '', /thorn/)
      assert.equal(readFileSync(file(), 'utf8'), before)
    })
  }

  it('shows what is wrong above the text, and takes it once it is right', async () => {
    await done(['set', 'rose'], { input: 'thorn' })
    await done(['edit'], editor('s/^rose: 42/rose: mended/; s/^rose: thorn/rose: 42/'))
    assert.equal(await done(['get', 'rose']), 'mended')
  })

  it('leaves the file alone when nothing was changed', async () => {
    await done(['set', 'rose'], { input: 'thorn' })
    const before = readFileSync(file(), 'utf8')
    const { code, stderr } = await secret(['edit'], { env: { EDITOR: 'true' } })
    assert.deepEqual([code, stderr, readFileSync(file(), 'utf8')], [0, 'nothing changed\n', before])
  })

  it('locks them anew for recipients, yourself among them', async () => {
    await done(['set', 'rose'], { input: 'thorn' })
    const other = { BRAMBLE_AGE_IDENTITY: join(line.folder, 'other') }
    const theirs = (await done(['keygen'], { env: other })).trim()
    const refused = await secret(['rekey', '-r', theirs])
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      new RegExp(`^you could not open the secrets yourself\n[^]*add -r ${recipient}`),
    )
    assert.match((await secret(['get', 'rose'], { env: other })).stderr, /^no identity at hand opens/)
    await done(['rekey', '-r', recipient, '-r', theirs])
    assert.equal(await done(['get', 'rose'], { env: other }), 'thorn')
    await done(['set', 'ivy'], { input: 'leaf', env: other })
    assert.equal(await done(['get', 'ivy']), 'leaf')
  })

  it('locks them anew with a passphrase', async () => {
    await done(['set', 'rose'], { input: 'thorn' })
    const none = await secret(['rekey'])
    assert.match(none.stderr, /^there is no key to lock the secrets with, and no terminal/)
    await done(['rekey'], { env: { BRAMBLE_SECRET_NEW_PASSPHRASE: 'open sesame' } })
    assert.equal(await done(['get', 'rose'], { env: { BRAMBLE_SECRET_PASSPHRASE: 'open sesame' } }), 'thorn')
    assert.match(
      (await secret(['get', 'rose'])).stderr,
      /^the secrets are locked with a passphrase, and there is no/,
    )
  })

  const refused: Record<string, { words: string[]; input?: string; says: RegExp }> = {
    'a name that is none': {
      words: ['set', '1 rose'],
      input: 'x',
      says: /^`1 rose` is no name for a secret\n/,
    },
    'an empty value': { words: ['set', 'rose'], input: '\n', says: /^the value is empty\n/ },
    'a value among the arguments': {
      words: ['set', 'rose', 'sloe'],
      says: /^Unknown (argument|command): sloe/,
    },
    'a name that is not there': { words: ['get', 'rose'], says: /^there is no inventory\/secrets\.age\n/ },
    'no command': { words: [], says: /^say what to do: set, get, edit, list, remove, rekey or keygen/ },
  }
  for (const [what, { words, input = '', says }] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await secret(words, { input })
      assert.equal(code, 1)
      assert.match(stderr, says)
      assert.equal(existsSync(file()), false)
    })
  }

  it('says that a short value is not recognised', async () => {
    assert.match(
      (await secret(['set', 'pin'], { input: '123' })).stderr,
      /^warning: a secret of less than 4 characters/,
    )
  })

  describe('and a run', () => {
    beforeEach(async () => {
      const encrypter = new Encrypter()
      encrypter.setPassphrase('open sesame')
      encrypter.setScryptWorkFactor(10)
      writeFileSync(file(), armor.encode(await encrypter.encrypt('secrets: { login: thorn }\n')))
    })

    it('go on to connect when the passphrase is right', async () => {
      const { code, stdout } = await apply({ BRAMBLE_SECRET_PASSPHRASE: 'open sesame' })
      assert.equal(code, 4)
      assert.match(stdout, /cannot be reached/)
    })

    it('end with one error before anything else when it is wrong', async () => {
      const { code, stdout, stderr } = await apply({ BRAMBLE_SECRET_PASSPHRASE: 'open barley' })
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, /^the passphrase does not open inventory\/secrets\.age\n/)
      assert.equal(existsSync(join(line.folder, '.bramble/runs')), false)
    })

    it('need no key to list hosts', async () => {
      const { code, stdout } = await line.bramble(['list', 'hosts'], { HOME: line.folder })
      assert.deepEqual([code, stdout.split(' ')[0]], [0, 'rpi1'])
    })
  })

  it('does what docs/secrets.md says it does', () => {
    const main = pathToFileURL(join(import.meta.dirname, '../../../src/cli/main.ts')).href
    const tsx = createRequire(import.meta.url).resolve('tsx')
    line.put(
      'main.mjs',
      `const { main } = await import('${main}')\nprocess.exit(await main(process.argv.slice(2)))\n`,
    )
    const [commands = ''] = blocks(read('docs/secrets.md'), 'sh')
    const bramble = `bramble() { "${process.execPath}" --import ${tsx} main.mjs "$@"; }`
    const { status, stdout, stderr } = spawnSync('sh', ['-ec', `${bramble}\n${commands}`], {
      cwd: line.folder,
      env: {
        ...process.env,
        HOME: `${line.folder}/home`,
        XDG_CONFIG_HOME: '',
        EDITOR: 'true',
        PASSWORD: 'thorn',
      },
      encoding: 'utf8',
      input: '',
    })
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^age1\w+\nhaproxy_stats\nthorn$/)
  })

  it('asks at a terminal, once for a passphrase and twice for a value, and shows nothing of what is typed', async () => {
    const main = pathToFileURL(join(import.meta.dirname, '../../../src/cli/main.ts')).href
    const tsx = createRequire(import.meta.url).resolve('tsx')
    line.put(
      'main.mjs',
      `const { main } = await import(${JSON.stringify(main)})
process.exit(await main(['secret', 'set', 'rose']))\n`,
    )
    const typed = `(for i in 1 2; do while [ "$(grep -c 'rose.*: ' told)" -lt $i ]; do sleep 0.1; done; printf 'thorn-4711\\r'; done; cat >/dev/null <&3)`
    const script = `exec 3<&0; : >told; ${typed} | script -qfec '${process.execPath} --import ${tsx} main.mjs' told >/dev/null`
    const { status } = spawnSync('timeout', ['50', 'sh', '-c', script], {
      cwd: line.folder,
      env: { ...process.env, HOME: line.folder, XDG_CONFIG_HOME: '' },
      input: '',
    })
    const told = readFileSync(join(line.folder, 'told'), 'utf8')
    assert.equal(status, 0, told)
    assert.match(told, /rose: [^]*rose again: /)
    assert.doesNotMatch(told, /thorn/)
    assert.equal(await done(['get', 'rose']), 'thorn-4711')
  })
})
