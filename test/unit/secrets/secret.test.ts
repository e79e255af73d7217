// oxlint-disable typescript/restrict-template-expressions -- that a secret in a template prints as *** is what is tested
import assert from 'node:assert/strict'
import { inspect, format } from 'node:util'
import { BrambleError } from '../../../src/errors.ts'
import { eventLine } from '../../../src/report/json.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { redact, Secret } from '../../../src/secrets/secret.ts'

const value = 'hunter2-of-brambles'
const secret = new Secret(value)

describe('a secret', () => {
  const ways: Record<string, () => string> = {
    'a template literal': () => `${secret}`,
    concatenation: () => 'it is ' + secret,
    String: () => String(secret),
    JSON: () => JSON.stringify({ deep: [{ secret }] }),
    'util.inspect': () => inspect(secret),
    'util.inspect of what holds it': () => inspect({ deep: { secret } }, { showHidden: true, depth: 9 }),
    'console.log': () => format('%s %o %O %j', secret, secret, secret, secret),
    'its keys and entries': () => JSON.stringify([Object.keys(secret), Object.entries(secret)]),
    'an error’s message': () => new Error(`wrong: ${secret}`).stack ?? '',
    'a list joined': () => [secret, secret].join(),
  }
  for (const [way, print] of Object.entries(ways)) {
    it(`does not print by ${way}`, () => assert.doesNotMatch(print(), /hunter2/))
  }

  it('is told by reveal, and goes into shell text as it is', () => {
    assert.equal(secret.reveal(), value)
    assert.equal(sh`login ${secret}`.text, `login ${value}`)
    assert.equal(sh`login ${new Secret("it's me")}`.text, `login 'it'\\''s me'`)
  })
})

/** A text, once the secret in it is known. */
function redactable(text: string): string {
  new Secret(`it's a rose/4711+`).reveal()
  return text
}

describe('redact', () => {
  const cases: [what: string, text: () => string, clean: string][] = [
    ['replaces a secret wherever it stands', () => `a${value}b ${value}`, 'a***b ***'],
    ['leaves text without secrets alone', () => 'nothing to hide', 'nothing to hide'],
    [
      'replaces the longer of two secrets that begin alike',
      () => {
        const short = new Secret('thorn-one')
        return `${new Secret('thorn-one-and-more').reveal()} ${short.reveal()}`
      },
      '*** ***',
    ],
    [
      'replaces a secret of several lines also where a diff has torn it apart',
      () => {
        const key = new Secret('-----BEGIN KEY-----\nbG9nYW5iZXJyeQ==\nYmxhY2tiZXJyeQ==\n-----END KEY-----\n')
        return `${key.reveal()}+bG9nYW5iZXJyeQ==\n+YmxhY2tiZXJyeQ==\n`
      },
      '***+***\n+***\n',
    ],
    [
      'does not replace the short lines of one',
      () => `{ a } ${new Secret('{\n  boysenberry\n}\n')}`,
      '{ a } ***',
    ],
    [
      'replaces secrets that overlap',
      () => `${new Secret('plum-tree').reveal()}-house ${new Secret('tree-house')}`,
      '*** ***',
    ],
    ['replaces a long secret', () => new Secret('bullace\\n'.repeat(20_000)).reveal(), '***'],
    ['takes an empty secret for none', () => `abc${new Secret('')}`, 'abc***'],
    ['does not look for one of less than 4 characters', () => `p1x ${new Secret('p1x')}`, 'p1x ***'],
    ['replaces it where a shell quoted it', () => redactable(`'it'\\''s a rose/4711+'`), `'***'`],
    [
      'replaces it where JSON quotes it',
      () => JSON.stringify({ key: new Secret('a "b" \\ c').reveal() }),
      '{"key":"***"}',
    ],
    [
      'replaces it in a URL',
      () => `https://x/?k=${encodeURIComponent(new Secret('a&b /thorn').reveal())}`,
      'https://x/?k=***',
    ],
    ['replaces what a terminal wrapped', () => value.replace('of', 'o\nf'), '***'],
    [
      'replaces what a report indented',
      () => `x\n  ${value.slice(0, 9)}\r\n  ${value.slice(9)} y\nz`,
      'x\n  *** y\nz',
    ],
    ['replaces what a diff marked', () => `+${value.slice(0, 9)}\n+${value.slice(9)}\n+z`, '+***\n+z'],
    [
      'replaces each of several torn ones',
      () => `${value}\n${value}\n`.replaceAll('br', 'b\nr'),
      '***\n***\n',
    ],
    [
      'leaves the lines of a text that only holds secrets',
      () => `option httplog\n${new Secret('option httplog\n', { search: false })}`,
      'option httplog\n***',
    ],
  ]
  for (const [what, text, clean] of cases) it(what, () => assert.equal(redact(text()), clean))

  it('replaces it in base64, whatever stands around it and however long the lines are', () => {
    const sloe = new Secret('sloe?gin>and~more').reveal()
    for (const before of ['', 'a', 'ab', 'user:']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        for (const length of [9, 10, 76]) {
          const text = Buffer.from(`${before}${sloe}\n`).toString(encoding)
          const clean = redact(text.replaceAll(new RegExp(`.{${length}}`, 'g'), '$&\n'))
          assert.match(clean, /\*\*\*/)
          const left = Buffer.from(clean.replaceAll(/\*\*\*|\n/g, ''), encoding).toString('latin1')
          assert.doesNotMatch(left, /sloe|gin|and|more/, `${before} ${encoding} ${length}`)
        }
      }
    }
  })

  it('takes time in proportion to the text, not to the number of secrets', () => {
    const words = Array.from({ length: 3000 }, (_, number) => `fig-${number}-tree`)
    const secrets = words.map((word) => new Secret(word))
    const text = 'nothing to see here, '.repeat(50_000)
    const start = performance.now()
    assert.equal(redact(text), text)
    assert.ok(performance.now() - start < 5000)
    assert.equal(redact(words.join(' ')), secrets.join(' '))
  })

  it('cleans every text of an event, however deep', () => {
    const line = eventLine({
      type: 'task',
      at: 1,
      host: 'rpi1',
      play: 'p',
      title: `set ${value}`,
      status: 'ok',
      ms: 1,
      diff: `+ ${value}`,
      reason: `"${value}"`,
      output: `${value}\n`,
    })
    assert.doesNotMatch(line, /hunter2/)
    assert.match(line, /"title":"set \*\*\*","status":"ok"/)
  })

  it('cleans the description of an error, its stderr and cause among it', () => {
    const error = new BrambleError(`bad ${value}`, { stderr: `x\n${value}\n`, found: value, cause: value })
    assert.equal(redact(error.describe()), 'bad ***\n  found:    ***\n  stderr:   x\n            ***')
  })
})
