import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import type { Connection, Host } from '../../../src/inventory/index.ts'
import { readSshConfig } from '../../../src/ssh/config.ts'
import { parseJumps, type JumpHost } from '../../../src/ssh/jump-hosts.ts'
import { makeTarget, type Target } from '../../../src/ssh/target.ts'

const directory = mkdtempSync(join(tmpdir(), 'bramble-target-'))
const me = userInfo().username

function targetOf(config: string, said: Partial<Connection>, env: Record<string, string> = {}): Target {
  writeFileSync(join(directory, 'config'), config)
  const host: Host = {
    name: 'rpi1',
    address: '10.0.0.1',
    groups: [],
    connection: { become: true, ...said },
    settings: { labels: {} },
    extra: {},
    in: () => false,
  }
  return makeTarget(host, {
    config: readSshConfig(join(directory, 'config')),
    knownHosts: '/project/known',
    env,
  })
}

/** The jump hosts, from the first that is passed. */
function ways({ via }: Target): string[] {
  return via ? [...ways(via), `${via.user}@${via.host}:${via.port}`] : []
}

interface Case {
  config?: string
  said?: Partial<Connection>
  env?: Record<string, string>
  expect: Partial<Target>
  ways?: string[]
}

const home = (name: string): string => join(homedir(), '.ssh', name)

const cases: Record<string, Case> = {
  'by its address, with what ssh takes by default': {
    expect: {
      host: '10.0.0.1',
      port: 22,
      user: me,
      identities: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(home),
      identitiesFrom: 'default',
      identitiesOnly: false,
      hostKeys: 'accept-new',
      knownHosts: '/project/known',
      alsoKnown: [
        home('known_hosts'),
        home('known_hosts2'),
        '/etc/ssh/ssh_known_hosts',
        '/etc/ssh/ssh_known_hosts2',
      ],
      connectTimeout: 10,
    },
  },
  'as a section for its name says': {
    config:
      'Host rpi1\n HostName %h.lan\n User pi\n Port 23\n ConnectTimeout 5\n IdentityFile ~/.ssh/%h-%r\n IdentitiesOnly yes\n HostKeyAlias garden\n UserKnownHostsFile ~/%k ${BRAMBLE_TEST_DIR}/known\n StrictHostKeyChecking yes\n GlobalKnownHostsFile none\n',
    env: {},
    expect: {
      host: 'rpi1.lan',
      user: 'pi',
      port: 23,
      connectTimeout: 5,
      identities: [home('rpi1.lan-pi')],
      identitiesFrom: 'config',
      identitiesOnly: true,
      hostKeyAlias: 'garden',
      alsoKnown: [join(homedir(), 'garden'), '/test/known'],
      hostKeys: 'strict',
    },
  },
  'as ssh reads a yes': {
    config: 'IdentityFile /key\nIdentitiesOnly TRUE\nStrictHostKeyChecking Yes\n',
    expect: { identitiesOnly: true, hostKeys: 'strict' },
  },
  'as a section for its address says': {
    config: 'Host 10.0.0.*\n User pi\n',
    expect: { user: 'pi', host: '10.0.0.1' },
  },
  'as the inventory says, whatever the configuration does': {
    config:
      'HostName wrong\nUser wrong\nPort 1\nConnectTimeout 1\nIdentityFile /wrong\nStrictHostKeyChecking yes\nProxyJump wrong\nUserKnownHostsFile /wrong\n',
    said: {
      host: '10.0.0.2',
      user: 'pi',
      port: 24,
      connectTimeout: 7,
      keyFile: '/right',
      hostKeys: 'accept-new',
      proxyCommand: 'nc %h %p # %r of %n at 100%%',
      knownHosts: '/right',
    },
    env: { SSH_AUTH_SOCK: '/agent' },
    expect: {
      host: '10.0.0.2',
      user: 'pi',
      port: 24,
      connectTimeout: 7,
      identities: ['/right'],
      identitiesFrom: 'inventory',
      identitiesOnly: true,
      agent: '/agent',
      hostKeys: 'accept-new',
      proxyCommand: 'nc 10.0.0.2 24 # pi of rpi1 at 100%',
      knownHosts: '/right',
      alsoKnown: [],
    },
    ways: [],
  },
  'through jump hosts, each as its own section says': {
    config:
      'Host rpi1\n ProxyJump gate,pi@inner:24\nHost gate\n HostName 10.9.9.9\n User guard\n Port 2222\nHost inner\n Port 9\n',
    expect: { host: '10.0.0.1', port: 22 },
    ways: ['guard@10.9.9.9:2222', 'pi@inner:24'],
  },
  'through the jump host of a jump host': {
    config: 'Host rpi1\n User pi\n ProxyJump inner\nHost inner\n User pi\n ProxyJump ssh://guard@gate:23\n',
    expect: {},
    ways: ['guard@gate:23', 'pi@inner:22'],
  },
  'through a jump host that the same section means': {
    config: 'Host *\n User pi\n ProxyJump gate\n',
    expect: {},
    ways: ['pi@gate:22'],
  },
  'directly, where it is the jump host itself': {
    config: 'Host *\n ProxyJump 10.0.0.1\n',
    expect: {},
    ways: [],
  },
  'through the jump hosts of the inventory': {
    config: 'Host *\n User pi\nHost rpi1\n ProxyCommand wrong\n',
    said: { proxyJump: 'gate' },
    expect: {},
    ways: ['pi@gate:22'],
  },
  'directly, where the inventory says none': {
    config: 'ProxyJump gate\n',
    said: { proxyJump: 'none' },
    expect: {},
    ways: [],
  },
  'with the agent of the environment': { env: { SSH_AUTH_SOCK: '/agent' }, expect: { agent: '/agent' } },
  'with another agent': {
    config: 'IdentityAgent ~/agent.sock\n',
    env: { SSH_AUTH_SOCK: '/agent' },
    expect: { agent: join(homedir(), 'agent.sock') },
  },
  'with the agent of a variable': {
    config: 'IdentityAgent $MY_AGENT\n',
    env: { SSH_AUTH_SOCK: '/agent', MY_AGENT: '/mine' },
    expect: { agent: '/mine' },
  },
}

describe('a host is reached', () => {
  before(() => (process.env['BRAMBLE_TEST_DIR'] = '/test'))
  after(() => {
    delete process.env['BRAMBLE_TEST_DIR']
    rmSync(directory, { recursive: true })
  })

  for (const [name, { config = '', said = {}, env = {}, expect, ways: through }] of Object.entries(cases)) {
    it(name, () => {
      const target = targetOf(config, said, env)
      for (const [part, value] of Object.entries(expect))
        assert.deepEqual(target[part as keyof Target], value, part)
      if (through) assert.deepEqual(ways(target), through)
    })
  }

  it('by jump hosts that have to be known as well, where no unseen one is let in', () => {
    const keys = ({ hostKeys, via }: Target): string[] => [...(via ? keys(via) : []), hostKeys]
    const config = 'Host gate\n ProxyJump outer\n'
    const said = { proxyJump: 'gate,inner' }
    assert.deepEqual(keys(targetOf(config, { ...said, hostKeys: 'strict' })), Array(4).fill('strict'))
    assert.deepEqual(keys(targetOf(config, said)), Array(4).fill('accept-new'))
  })

  it('without an agent where there is none to be', () => {
    assert.equal(targetOf('IdentityAgent none\n', {}, { SSH_AUTH_SOCK: '/agent' }).agent, undefined)
  })

  it('not in circles', () => {
    const circle = 'Host rpi1 b\n ProxyJump a\nHost a\n ProxyJump b\n'
    assert.throws(() => targetOf(circle, {}), /jump hosts lead back to where they came from/)
  })
})

describe('jump hosts', () => {
  const written: Record<string, JumpHost[]> = {
    gate: [{ host: 'gate' }],
    'pi@gate:23,inner': [{ user: 'pi', host: 'gate', port: 23 }, { host: 'inner' }],
    'ssh://pi@gate:23/, [fe80::1]:24': [
      { user: 'pi', host: 'gate', port: 23 },
      { host: 'fe80::1', port: 24 },
    ],
    'a@b@gate': [{ user: 'a@b', host: 'gate' }],
  }
  for (const [text, hosts] of Object.entries(written)) {
    it(`are read: ${text}`, () => assert.deepEqual(parseJumps(text), hosts))
  }
  for (const text of ['', 'a,,b', 'gate:0', 'gate:70000', 'a b', 'gate:x']) {
    it(`are refused: "${text}"`, () => assert.throws(() => parseJumps(text), InputError))
  }
})
