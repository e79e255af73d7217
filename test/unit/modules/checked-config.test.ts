import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { checkedConfig, type CheckedConfigOptions } from '../../../src/modules/index.ts'
import { table } from './table.ts'

const options: CheckedConfigOptions = {
  text: 'events {}\n',
  template: 'templates/nginx.conf.ejs',
  image: 'nginx:1.28-alpine',
  path: '/etc/nginx/nginx.conf',
  command: ['nginx', '-t'],
}
const make = (more: Partial<CheckedConfigOptions> = {}) => checkedConfig({ ...options, ...more })

/** What the host keeps once a configuration has been taken: what the change writes last. */
function stampOf(one: ReturnType<typeof checkedConfig>): string {
  const script = one.plan({ code: 0, stdout: ':absent\n' })?.apply.text ?? ''
  const [stamp] = /\b[0-9a-f]{64}\n/.exec(script) ?? []
  assert.ok(stamp)
  return stamp
}

const kept = (stamp: string) => `:there\n8180 0 0 root root ${stamp.length}\n${stamp}`
const stamp = stampOf(make())

describe('checkedConfig', () => {
  table([
    { title: 'asks nobody about what was taken before', make, seen: kept(stamp), expect: 'ok' },
    {
      title: 'asks the image about what is new, by a copy that is thrown away like the container',
      make,
      seen: ':absent\n',
      expect: 'change',
      diff: '+ nginx:1.28-alpine takes nginx.conf',
      apply:
        /trap 'rm -rf -- \/run\/bramble\/check' EXIT[^]*docker run --rm --network host --volume \/run\/bramble\/check\/nginx\.conf:\/etc\/nginx\/nginx\.conf:ro --entrypoint nginx nginx:1\.28-alpine -t /,
    },
    {
      title: 'gives what opens ports a network of its own',
      make: () => make({ network: 'bridge' }),
      seen: ':absent\n',
      expect: 'change',
      apply: 'docker run --rm --network bridge ',
    },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  const news: [what: string, more: Partial<CheckedConfigOptions>][] = [
    ['text', { text: 'events { }\n' }],
    ['image', { image: 'nginx:1.29-alpine' }],
    ['content of an image under its old name', { revision: 'sha256:1' }],
    ['command', { command: ['nginx', '-T'] }],
  ]
  for (const [what, more] of news) {
    it(`asks again about another ${what}, once`, () => {
      const other = make(more)
      assert.ok(other.plan({ code: 0, stdout: kept(stamp) }))
      assert.equal(other.plan({ code: 0, stdout: kept(stampOf(other)) }), undefined)
    })
  }

  it('takes a text of any size, by way of stdin', () => {
    const change = make({ text: '# x\n'.repeat(20_000) }).plan({ code: 0, stdout: ':absent\n' })
    assert.ok(change?.input)
    assert.ok(change.apply.text.length < 10_000)
  })

  it('refuses what cannot be the name of an image or of a file', () => {
    assert.throws(() => make({ image: '-v /:/host' }), InputError)
    assert.throws(() => make({ path: 'nginx.conf' }), InputError)
    assert.throws(() => make({ path: '/etc/nginx/a file' }), InputError)
  })
})
