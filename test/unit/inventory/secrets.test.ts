import assert from 'node:assert/strict'
import { armor, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { secretOf } from '../../../src/playbook/secret-of.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { inventoryOf, type Files } from './fixture.ts'

const hosts = (more = '') =>
  `all:\n  hosts:\n    rpi1: { ansible_host: 10.0.0.1${more} }\n    rpi2: { ansible_host: 10.0.0.2 }\n`

describe('!secret in an inventory', () => {
  let directory = ''
  let file = ''
  let env: Record<string, string> = {}
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-identity-'))
    env = { BRAMBLE_AGE_IDENTITY: join(directory, 'identity') }
    const identity = await generateIdentity()
    writeFileSync(join(directory, 'identity'), identity)
    const encrypter = new Encrypter()
    encrypter.addRecipient(await identityToRecipient(identity))
    file = armor.encode(
      await encrypter.encrypt('secrets: { stats: elderberry, sudo: sloeberry, db: dewberry }\n'),
    )
  })
  after(() => rmSync(directory, { recursive: true }))

  const load = (files: Files) => inventoryOf({ 'secrets.age': file, ...files }, env)

  async function complaint(files: Files): Promise<string> {
    try {
      await load(files)
    } catch (error) {
      if (error instanceof InputError) return error.message
      throw error
    }
    return 'no error'
  }

  it('stands for its value in settings of the cluster, in connections and in variables of your own, however deep', async () => {
    const inventory = await load({
      'hosts.yml': hosts(', ansible_password: !secret sudo'),
      'group_vars/all.yml':
        'haproxy: { stats_password: !secret stats }\nansible_become_password: !secret sudo\n',
      'host_vars/rpi1.yml': 'extra: { db: !secret db, list: [{ deep: !secret stats }], plain: text }\n',
    })
    const [host, other] = inventory.hosts
    assert.ok(host && other)
    assert.equal(inventory.settings.haproxy.stats_password?.reveal(), 'elderberry')
    assert.deepEqual(
      [host.connection.password, host.connection.becomePassword, other.connection.becomePassword].map((one) =>
        one?.reveal(),
      ),
      ['sloeberry', 'sloeberry', 'sloeberry'],
    )
    const { db, list, plain } = host.extra as { db: Secret; list: { deep: Secret }[]; plain: string }
    assert.deepEqual([db.reveal(), list[0]?.deep.reveal(), plain], ['dewberry', 'elderberry', 'text'])
    assert.deepEqual([secretOf(host, 'db').reveal(), secretOf(host, 'plain').reveal()], ['dewberry', 'text'])
    assert.doesNotMatch(JSON.stringify(inventory), /berry/)
  })

  it('is replaced by what a stronger layer says, and replaces what a weaker one does', async () => {
    const { hosts: loaded } = await load({
      'hosts.yml': hosts(', ansible_become_password: !secret db'),
      'group_vars/all.yml': 'ansible_become_password: !secret sudo\n',
      'host_vars/rpi2.yml': 'ansible_become_password: plain-text\n',
    })
    assert.deepEqual(
      loaded.map((host) => host.connection.becomePassword?.reveal()),
      ['dewberry', 'plain-text'],
    )
  })

  it('is the only reason to open the file', async () => {
    const { settings } = await load({ 'hosts.yml': hosts(), 'secrets.age': 'damaged' })
    assert.equal(settings.haproxy.stats_password, undefined)
    assert.match(
      await complaint({ 'hosts.yml': hosts(', ansible_password: !secret sudo'), 'secrets.age': 'damaged' }),
      /^secrets\.age is no file of secrets, or a damaged one/,
    )
  })

  it('with a name that is not kept says where it stands and which names there are', async () => {
    assert.equal(
      await complaint({
        'hosts.yml': hosts(),
        'group_vars/all.yml': '# a comment\nhaproxy:\n  stats_password: !secret stat\n',
      }),
      `there is no secret \`stat\`
  at group_vars/all.yml:3:3
  expected: a name that secrets.age holds
  found:    it holds db, stats, sudo
  next:     did you mean stats?`,
    )
    assert.match(
      await complaint({ 'hosts.yml': hosts(', ansible_password: !secret nothing-like-it') }),
      /at hosts\.yml:3:\d+\n[^]*next: +add it: bramble secret set nothing-like-it$/,
    )
  })

  it('without a file of secrets says so', async () => {
    await assert.rejects(
      inventoryOf(hosts(', ansible_password: !secret sudo'), env),
      /there is no secret `sudo`\n[^]*found: +there is no such file\n/,
    )
  })

  it('where no secret can be is refused, without its value', async () => {
    const text = await complaint({ 'hosts.yml': hosts(', ansible_user: !secret sudo') })
    assert.match(text, /^`ansible_user` is not valid\n[^]*expected: a user name\n {2}found: +a secret$/)
    assert.match(
      await complaint({ 'hosts.yml': 'all: { vars: !secret sudo, hosts: { a: } }' }),
      /variables must be a mapping[^]*found: +a secret/,
    )
  })

  it('behind anchors within anchors is found at once', async () => {
    const levels = Array.from(
      { length: 60 },
      (_, index) => `  l${index + 1}: &l${index + 1} [*l${index}, *l${index}]`,
    )
    const { hosts: loaded } = await load({
      'hosts.yml': hosts(),
      'group_vars/all.yml': `extra:\n  l0: &l0 !secret db\n${levels.join('\n')}\n`,
    })
    let value: unknown = loaded[0]?.extra['l60']
    while (Array.isArray(value)) value = value[1]
    assert.ok(value instanceof Secret)
  })

  it('is missed by the playbook that asks for it', async () => {
    const {
      hosts: [host],
    } = await load({ 'hosts.yml': hosts() })
    assert.ok(host)
    assert.throws(() => secretOf(host, 'db'), /rpi1 has no secret `db`/)
  })
})
