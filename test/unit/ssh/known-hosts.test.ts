import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addKnownKey, hostId, knownKeys } from '../../../src/ssh/known-hosts.ts'
import { replaceKnownKey } from '../../../src/ssh/replace-key.ts'

const directory = mkdtempSync(join(tmpdir(), 'bramble-known-hosts-'))
const file = join(directory, 'known_hosts')
const key = (seed: number): Buffer => {
  const type = Buffer.from('\0\0\0\u000Bssh-ed25519\0\0\0 ')
  return Buffer.concat([type, Buffer.alloc(32, seed)])
}
const text = (seed: number): string => `ssh-ed25519 ${key(seed).toString('base64')}`

interface Case {
  line: string
  id?: string
  /** Whether it is a key of the host; or its revocation. */
  is: boolean | 'revoked'
}

const cases: Record<string, Case> = {
  'a plain name': { line: `rpi1 ${text(1)}`, is: true },
  'a name in capitals': { line: `RPI1 ${text(1)}`, is: true },
  'one name of several': { line: `rpi2,rpi1,10.0.0.1 ${text(1)} comment`, is: true },
  'another name': { line: `rpi11 ${text(1)}`, is: false },
  'a name that a dot would match': { line: `10.0.0.1 ${text(1)}`, id: '10a0.0.1', is: false },
  'a port': { line: `[rpi1]:2222 ${text(1)}`, id: '[rpi1]:2222', is: true },
  'another port': { line: `[rpi1]:2223 ${text(1)}`, id: '[rpi1]:2222', is: false },
  'a name without the port': { line: `rpi1 ${text(1)}`, id: '[rpi1]:2222', is: false },
  'a glob': { line: `rpi? ${text(1)}`, is: true },
  'a glob for ports': { line: `[rpi*]:* ${text(1)}`, id: '[rpi1]:2222', is: true },
  'a negated name': { line: `rpi*,!rpi1 ${text(1)}`, is: false },
  'a negated name of another': { line: `!rpi2,rpi* ${text(1)}`, is: true },
  'a hashed name': { line: '', is: true },
  'a hashed port': { line: '', id: '[rpi1]:2222', is: true },
  'a revocation': { line: `@revoked rpi* ${text(1)}`, is: 'revoked' },
  'the key of a certificate authority': { line: `@cert-authority * ${text(1)}`, is: false },
  'a marker nobody knows': { line: `@trusted rpi1 ${text(1)}`, is: false },
  'a comment': { line: `# rpi1 ${text(1)}`, is: false },
  'half a line': { line: 'rpi1 ssh-ed25519', is: false },
  'a line with spaces around': { line: `  rpi1\t${text(1)}  `, is: true },
}

/** As ssh-keygen -H of OpenSSH 9.2 has written them. */
const hashed: Record<string, string> = {
  rpi1: '|1|qJIiNmOLzrBfJK6heZOBwX1f1wE=|YpS2kT3YbDiw7M/HWivcu8x5Jxs=',
  '[rpi1]:2222': '|1|MmIwHtptKsGwPth068/WoEo2BtY=|DVzBZO5IwKKFKkElW4JgE6ODXiA=',
}

describe('known_hosts', () => {
  after(() => rmSync(directory, { recursive: true }))
  beforeEach(() => rmSync(file, { force: true }))

  for (const [name, { line, id = 'rpi1', is }] of Object.entries(cases)) {
    it(`reads ${name}`, () => {
      writeFileSync(file, `# first\n${line || `${hashed[id]} ${text(1)}`}\n`)
      const found = knownKeys(file, id)
      assert.deepEqual(
        found.map((one) => [one.type, one.key, one.revoked, one.at]),
        is === false ? [] : [['ssh-ed25519', key(1).toString('base64'), is === 'revoked', `${file}:2`]],
      )
    })
  }

  it('names a host with its port unless that is 22', () => {
    assert.deepEqual(
      [hostId('rpi1', 22), hostId('rpi1', 23), hostId('fe80::1', 23)],
      ['rpi1', '[rpi1]:23', '[fe80::1]:23'],
    )
  })

  it('knows nobody without a file', () => {
    assert.deepEqual(knownKeys(file, 'rpi1'), [])
    assert.deepEqual(knownKeys('/dev/null/none', 'rpi1'), [])
  })

  it('gets a line of its own after one that does not end', () => {
    writeFileSync(file, `rpi2 ${text(2)}`)
    addKnownKey(file, 'rpi1', key(1))
    assert.equal(readFileSync(file, 'utf8'), `rpi2 ${text(2)}\nrpi1 ${text(1)}\n`)
  })

  it('is made for its owner only', () => {
    addKnownKey(file, 'RPI1', key(1))
    assert.equal(readFileSync(file, 'utf8'), `rpi1 ${text(1)}\n`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  const replaced: Record<string, [string, string]> = {
    'a file that is not there': ['', ''],
    'its own line': [`rpi1 ${text(2)}\nrpi2 ${text(2)}\n`, `rpi2 ${text(2)}\n`],
    'all of its lines': [`rpi1 ${text(2)}\n# mine\nrpi1 ${text(3)}`, '# mine\n'],
    'one name of several': [`rpi1,10.0.0.1 ${text(2)} c\n`, `10.0.0.1 ${text(2)} c\n`],
    'a glob': [`rpi* ${text(2)}\n`, `!rpi1,rpi* ${text(2)}\n`],
    'a line without its end': [`rpi2 ${text(2)}`, `rpi2 ${text(2)}\n`],
    'neither a revocation nor an authority': [
      `@revoked rpi1 ${text(2)}\n@cert-authority rpi1 ${text(3)}\n\n`,
      `@revoked rpi1 ${text(2)}\n@cert-authority rpi1 ${text(3)}\n\n`,
    ],
  }
  for (const [name, [before, kept]] of Object.entries(replaced)) {
    it(`has a key replaced: ${name}`, async () => {
      if (before !== '') writeFileSync(file, before)
      await replaceKnownKey(file, 'rpi1', key(9))
      assert.equal(readFileSync(file, 'utf8'), `${kept}rpi1 ${text(9)}\n`)
      assert.deepEqual(
        knownKeys(file, 'rpi1')
          .filter((one) => !one.revoked)
          .map((one) => one.key),
        [key(9).toString('base64')],
      )
      assert.ok(!existsSync(`${file}.new`))
    })
  }

  it('is taken over from a process that died while replacing', async () => {
    writeFileSync(`${file}.new`, 'half')
    utimesSync(`${file}.new`, 1, 1)
    await replaceKnownKey(file, 'rpi1', key(9))
    assert.equal(readFileSync(file, 'utf8'), `rpi1 ${text(9)}\n`)
  })

  it('loses no line when runs add to it and others replace at the same time', async function () {
    this.timeout(60_000)
    writeFileSync(file, '')
    const worker = join(import.meta.dirname, 'known-hosts-worker.ts')
    const start = (kind: string, name: string) =>
      fork(worker, [kind, file, name], { execArgv: ['--import', 'tsx'] })
    const workers = [start('add', 'a'), start('add', 'b'), start('replace', 'c'), start('replace', 'd')]
    const codes = await Promise.all(workers.map((one) => once(one, 'exit')))
    assert.deepEqual(
      codes.map(([code]) => code as unknown),
      [0, 0, 0, 0],
    )
    const lines = new Set(
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[0]),
    )
    const missing = ['a', 'b'].flatMap((name) =>
      Array.from({ length: 120 }, (_, index) => `${name}${index}`).filter((id) => !lines.has(id)),
    )
    assert.deepEqual(missing, [])
    assert.ok(lines.has('c') && lines.has('d'))
  })
})
