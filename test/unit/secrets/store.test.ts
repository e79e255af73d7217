import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { InputError } from '../../../src/errors.ts'
import { keysOf } from '../../../src/secrets/keys.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { readStore, writeStore } from '../../../src/secrets/store.ts'

function plain(all: Iterable<[string, Secret]>): Record<string, string> {
  return Object.fromEntries([...all].map(([name, value]) => [name, value.reveal()]))
}

describe('the file of secrets', () => {
  let directory = ''
  let recipient = ''
  const path = (name: string) => join(directory, name)
  const file = () => path('secrets.age')
  const env = (more: Record<string, string> = {}) => ({
    HOME: directory,
    BRAMBLE_AGE_IDENTITY: path('identity'),
    ...more,
  })
  const values = new Map(
    Object.entries({ one: "it's *&^\n", two: 'ü🌱', three: '42' }).map(([name, value]) => [
      name,
      new Secret(value),
    ]),
  )

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-secrets-'))
    const identity = await generateIdentity()
    recipient = await identityToRecipient(identity)
    writeFileSync(path('identity'), `# a comment\n${identity}\n`)
    writeFileSync(path('other'), `${await generateIdentity()}\n`)
    writeFileSync(path('none'), 'no identity\n')
    writeFileSync(path('passphrase'), 'open sesame\nsecond line\n')
  })
  after(() => rmSync(directory, { recursive: true }))
  beforeEach(async () => {
    rmSync(file(), { force: true })
    await writeStore(file(), { lock: { recipients: [recipient] }, values })
  })

  /** The same, locked with a passphrase at the least cost, where the program takes the usual one. */
  async function lockWithPassphrase(): Promise<void> {
    const encrypter = new Encrypter()
    encrypter.setPassphrase('open sesame')
    encrypter.setScryptWorkFactor(10)
    writeFileSync(file(), armor.encode(await encrypter.encrypt('secrets: { one: first }\n')))
  }

  async function complaint(keys = keysOf(env())): Promise<string> {
    try {
      await readStore(file(), keys)
    } catch (error) {
      if (error instanceof InputError) return error.describe().replaceAll(`${directory}/`, '')
      throw error
    }
    return 'no error'
  }

  it('gives back what was put in, to who has the identity', async () => {
    const store = await readStore(file(), keysOf(env()))
    assert.deepEqual(store?.lock, { recipients: [recipient] })
    assert.deepEqual(plain(store?.values ?? []), plain(values))
  })

  it('is text that shows neither names nor values, and readable by its owner only', () => {
    const text = readFileSync(file(), 'utf8')
    assert.match(
      text,
      /^-----BEGIN AGE ENCRYPTED FILE-----\n([\w+/=]{1,64}\n)+-----END AGE ENCRYPTED FILE-----\n$/,
    )
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('secrets')),
      ['secrets.age'],
    )
  })

  it('is left as it was when a recipient is none', async () => {
    const before = readFileSync(file(), 'utf8')
    await assert.rejects(
      writeStore(file(), { lock: { recipients: ['age1rose'] }, values }),
      /age1rose is no recipient/,
    )
    assert.equal(readFileSync(file(), 'utf8'), before)
  })

  it('is opened by a passphrase from the environment, a file, or the terminal; asked for in this order', async () => {
    await lockWithPassphrase()
    const asked: string[] = []
    const ask = (question: string) => {
      asked.push(question)
      return Promise.resolve(new Secret('open sesame'))
    }
    for (const more of [
      { BRAMBLE_SECRET_PASSPHRASE: 'open sesame', BRAMBLE_SECRET_PASSPHRASE_FILE: '/none' },
      { BRAMBLE_SECRET_PASSPHRASE_FILE: path('passphrase') },
      {},
    ]) {
      const store = await readStore(file(), keysOf(env(more), ask))
      assert.equal(store?.values.get('one')?.reveal(), 'first')
    }
    assert.deepEqual(asked, [`passphrase of ${file()}: `])
  })

  it('asks for nothing where there is none', async () => {
    rmSync(file())
    assert.equal(await readStore(file(), keysOf({ BRAMBLE_AGE_IDENTITY: '/none' })), undefined)
    assert.equal(existsSync(file()), false)
  })

  const refused: Record<
    string,
    { passphrase?: true; env?: () => Record<string, string>; text?: string; says: RegExp }
  > = {
    'a wrong passphrase': {
      passphrase: true,
      env: () => ({ BRAMBLE_SECRET_PASSPHRASE: 'open barley' }),
      says: /^the passphrase does not open secrets\.age\n {2}at secrets\.age\n {2}found: +the one from BRAMBLE_SECRET_PASSPHRASE\n {2}next: +mend or unset/,
    },
    'no passphrase and no terminal': {
      passphrase: true,
      says: /^the secrets are locked with a passphrase, and there is no terminal to ask for it\n {2}next: +Set BRAMBLE_SECRET_PASSPHRASE, or/,
    },
    'a file for the passphrase that is not there': {
      passphrase: true,
      env: () => ({ BRAMBLE_SECRET_PASSPHRASE_FILE: path('nowhere') }),
      says: /^the file that BRAMBLE_SECRET_PASSPHRASE_FILE names cannot be read\n {2}at nowhere/,
    },
    'no identity': {
      env: () => ({ BRAMBLE_AGE_IDENTITY: path('nowhere') }),
      says: /^secrets\.age is locked, and there is no key to it\n[^]*expected: an age identity in nowhere\n[^]*BRAMBLE_AGE_IDENTITY/,
    },
    'the identity of somebody else': {
      env: () => ({ BRAMBLE_AGE_IDENTITY: path('other') }),
      says: /^no identity at hand opens secrets\.age\n[^]*found: +the identities in other\n[^]*rekey -r/,
    },
    'an identity file without one': {
      env: () => ({ BRAMBLE_AGE_IDENTITY: path('none') }),
      says: /^none holds no age identity\n/,
    },
    'what is no age file': {
      text: 'one: first\n',
      says: /^secrets\.age is no file of secrets, or a damaged one\n/,
    },
    'an empty file': { text: '', says: /^secrets\.age is no file of secrets, or a damaged one\n/ },
  }
  for (const [what, { passphrase, env: more, text, says }] of Object.entries(refused)) {
    it(`refuses ${what}, and says what to do`, async () => {
      if (passphrase) await lockWithPassphrase()
      if (text !== undefined) writeFileSync(file(), text)
      assert.match(await complaint(keysOf(env(more?.()))), says)
    })
  }

  it('refuses a file that was cut off or changed, wherever it was', async () => {
    const text = readFileSync(file(), 'utf8')
    for (let at = 45; at < text.length - 45; at += 40) {
      writeFileSync(file(), text.slice(0, at))
      assert.match(await complaint(), /damaged one/, `cut off at ${at}`)
      const changed = text[at] === 'A' ? 'B' : 'A'
      if (text[at] === '\n' || text[at] === '=') continue
      writeFileSync(file(), `${text.slice(0, at)}${changed}${text.slice(at + 1)}`)
      assert.match(await complaint(), /damaged one|no identity at hand/, `changed at ${at}`)
    }
  })
}).timeout(60_000)
