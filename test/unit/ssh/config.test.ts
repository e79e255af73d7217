import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { askConfig, readSshConfig, type Question } from '../../../src/ssh/config.ts'
import { InputError } from '../../../src/errors.ts'
import { seed } from '../../random.ts'

/** What of the answer ssh(1) tells too, in its own words. */
type Told = Record<string, string>

const directory = mkdtempSync(join(tmpdir(), 'bramble-ssh-config-'))
const path = (name: string): string => join(directory, name)

function write(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text.replaceAll('DIR', directory))
  }
  return path('config')
}

const keywords = [
  'identitiesonly',
  'stricthostkeychecking',
  'userknownhostsfile',
  'hostkeyalias',
  'connecttimeout',
]

function bramble(config: string, question: Question): Told {
  const answer = askConfig(readSshConfig(config), question)
  const told: Told = {
    hostname: answer.hostname ?? question.names[0],
    user: answer.user ?? 'nobody-else',
    port: String(answer.port ?? 22),
    identityfile: answer.identityFiles.join('\n'),
  }
  if (answer.proxy && answer.proxy.text !== 'none') told[answer.proxy.keyword] = answer.proxy.text
  for (const keyword of keywords) {
    const words = answer.values.get(keyword)
    if (words) told[keyword] = words.join(' ')
  }
  return told
}

/** The same from `ssh -G`, of which only what the configuration set is compared. */
function openssh(config: string, { names, hostname, user, port }: Question, like: Told): Told {
  const flags = [
    ...(hostname ? ['-o', `HostName=${hostname}`] : []),
    ...(user ? ['-l', user] : []),
    ...(port ? ['-p', String(port)] : []),
  ]
  const { stdout, stderr, status } = spawnSync('ssh', ['-G', '-F', config, ...flags, names[0]], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const told: Told = {}
  for (const line of stdout.split('\n')) {
    const [keyword = '', ...rest] = line.split(' ')
    const text = rest.join(' ')
    told[keyword] = keyword in told ? `${told[keyword]}\n${text}` : text
  }
  const defaults = ['~/.ssh/id_rsa', 'DEFAULT'].some((file) => told['identityfile']?.includes(file))
  return {
    ...Object.fromEntries(Object.keys(like).map((keyword) => [keyword, told[keyword] ?? ''])),
    ...(defaults && { identityfile: '' }),
    ...(like['user'] === 'nobody-else' && { user: 'nobody-else' }),
    ...(told['proxycommand'] && { proxycommand: told['proxycommand'] }),
    ...(told['proxyjump'] && { proxyjump: told['proxyjump'] }),
    ...(like['identitiesonly'] && { identitiesonly: same(told['identitiesonly'], like['identitiesonly']) }),
    ...(like['stricthostkeychecking'] && {
      stricthostkeychecking: same(told['stricthostkeychecking'], like['stricthostkeychecking']),
    }),
  }
}

/** `ssh -G` says `true` where `yes` was written. */
function same(told: string | undefined, written: string): string {
  const names: Record<string, string> = { true: 'yes', false: 'no' }
  return names[told ?? ''] === written ? written : (told ?? '')
}

interface Case {
  config: string
  files?: Record<string, string>
  ask: Question
  expect: Told
}

const cases: Record<string, Case> = {
  'a section of the host': {
    config: 'Host rpi1\n  HostName 10.0.0.1\n  User pi\n  Port 2222\n  IdentityFile /k/one\n',
    ask: { names: ['rpi1'] },
    expect: { hostname: '10.0.0.1', user: 'pi', port: '2222', identityfile: '/k/one' },
  },
  'a section of another host': {
    config: 'Host rpi2\n  User pi\n  Port 2222\n',
    ask: { names: ['rpi1'] },
    expect: { user: 'nobody-else', port: '22' },
  },
  'the first value of each keyword': {
    config: 'User first\nHost rpi*\n User second\n Port 23\nHost *\n Port 24\n HostName %h.lan\n',
    ask: { names: ['rpi1'] },
    expect: { user: 'first', port: '23', hostname: 'rpi1.lan' },
  },
  'all identity files, once each': {
    config: 'IdentityFile /k/a\nHost *\n IdentityFile /k/b\n IdentityFile /k/a\n',
    ask: { names: ['rpi1'] },
    expect: { identityfile: '/k/a\n/k/b' },
  },
  'patterns with ? and *, and what is negated': {
    config: 'Host rpi? !rpi2 "gate way"\n Port 23\nHost !rpi1\n Port 24\nHost *pi2\n Port 25\n',
    ask: { names: ['rpi2'] },
    expect: { port: '25' },
  },
  'a ? is one character': {
    config: 'Host rpi?\n Port 23\n',
    ask: { names: ['rpi'] },
    expect: { port: '22' },
  },
  'a dot is a dot': {
    config: 'Host 10.0.0.1\n Port 23\n',
    ask: { names: ['10x0.0.1'] },
    expect: { port: '22' },
  },
  'equal signs, quotes, tabs and comments': {
    config:
      '# first\n\tHost = rpi1 # no host\n\tUser="p i"\n  port=\t23\n IdentityFile \'/k/my key\' # mine\n',
    ask: { names: ['rpi1'] },
    expect: { user: 'p i', port: '23', identityfile: '/k/my key' },
  },
  'a command as it is written': {
    config: 'Host rpi1\n ProxyCommand nc -X "a b" %h %p | tee \'x\'  \n',
    ask: { names: ['rpi1'] },
    expect: { proxycommand: 'nc -X "a b" %h %p | tee \'x\'' },
  },
  'ProxyJump before ProxyCommand': {
    config: 'ProxyJump a,b@c:24\nProxyCommand nc %h %p\n',
    ask: { names: ['rpi1'] },
    expect: { proxyjump: 'a,b@c:24' },
  },
  'ProxyCommand before ProxyJump': {
    config: 'ProxyCommand nc %h %p\nProxyJump a\n',
    ask: { names: ['rpi1'] },
    expect: { proxycommand: 'nc %h %p' },
  },
  'no proxy where there is none for one host': {
    config: 'Host rpi1\n ProxyJump none\nHost *\n ProxyJump gate\n',
    ask: { names: ['rpi1'] },
    expect: {},
  },
  'an include of a glob that no name can fit': {
    config: 'Include DIR/[z-a] DIR/[a\nPort 26\n',
    ask: { names: ['rpi1'] },
    expect: { port: '26' },
  },
  'what is included, in the order of names': {
    config: 'Include DIR/conf.d/*.conf DIR/no-such\nPort 26\n',
    files: {
      'conf.d/2.conf': 'Host rpi*\n Port 24\n User two\n',
      'conf.d/1.conf': 'Host rpi2\n Port 23\nHost rpi1\n IdentityFile /k/one\n',
      'conf.d/3.off': 'User off\n',
    },
    ask: { names: ['rpi1'] },
    expect: { port: '24', user: 'two', identityfile: '/k/one' },
  },
  'an include within a section, and the section after it': {
    config: 'Host rpi2\n Include DIR/inner\n User outer\nHost rpi1\n Include DIR/inner\n Port 23\n',
    files: { inner: 'Host rpi1\n User inner\nHost other\n User other\n' },
    ask: { names: ['rpi1'] },
    expect: { user: 'inner', port: '23' },
  },
  'includes of includes': {
    config: 'Include DIR/a/*\n',
    files: { 'a/b': 'Include DIR/c\n', c: 'Port 23\n' },
    ask: { names: ['rpi1'] },
    expect: { port: '23' },
  },
  'Match all': { config: 'Host x\nMatch all\n Port 23\n', ask: { names: ['rpi1'] }, expect: { port: '23' } },
  'Match host, after HostName': {
    config: 'Host rpi1\n HostName 10.0.0.1\nMatch host rpi1\n Port 23\nMatch host 10.*,!10.9.*\n Port 24\n',
    ask: { names: ['rpi1'] },
    expect: { port: '24' },
  },
  'Match originalhost and user': {
    config:
      'Match originalhost rpi1 user root\n Port 23\nMatch originalhost rpi2\n Port 24\nMatch originalhost rpi1 !user root\n Port 25\n',
    ask: { names: ['rpi1'], user: 'pi' },
    expect: { port: '25' },
  },
  'Match user, set before': {
    config: 'User pi\nMatch user pi\n Port 23\n',
    ask: { names: ['rpi1'] },
    expect: { port: '23' },
  },
  'Match localuser': {
    config: 'Match localuser no-such-user\n Port 23\nMatch !localuser no-such-user\n Port 24\n',
    ask: { names: ['rpi1'] },
    expect: { port: '24' },
  },
  'Match exec': {
    config: 'Match exec "test %h = rpi2"\n Port 23\nMatch host rpi1 exec "test %n%p = rpi122"\n Port 24\n',
    ask: { names: ['rpi1'] },
    expect: { port: '24' },
  },
  'what the inventory says first': {
    config: 'Host rpi1\n HostName 10.0.0.9\n User pi\n Port 2222\nMatch host 10.0.0.1\n HostKeyAlias said\n',
    ask: { names: ['rpi1'], hostname: '10.0.0.1', user: 'root', port: 23 },
    expect: { hostname: '10.0.0.1', user: 'root', port: '23', hostkeyalias: 'said' },
  },
  'host keys and time': {
    config:
      'Host rpi1\n UserKnownHostsFile /k/a /k/b\n StrictHostKeyChecking yes\n IdentitiesOnly yes\n ConnectTimeout 7\n',
    ask: { names: ['rpi1'] },
    expect: {
      userknownhostsfile: '/k/a /k/b',
      stricthostkeychecking: 'yes',
      identitiesonly: 'yes',
      connecttimeout: '7',
    },
  },
  'keywords in any case': {
    config: 'hOST rpi1\n pORT 23\nMATCH HOST rpi1\n USER pi\n',
    ask: { names: ['rpi1'] },
    expect: { port: '23', user: 'pi' },
  },
}

describe('ssh_config', () => {
  after(() => rmSync(directory, { recursive: true }))

  for (const [name, { config, files = {}, ask, expect }] of Object.entries(cases)) {
    it(`takes ${name}, as ssh does`, () => {
      const file = write({ ...files, config })
      const answer = bramble(file, ask)
      for (const [keyword, value] of Object.entries(expect)) assert.equal(answer[keyword], value, keyword)
      assert.deepEqual(answer, openssh(file, ask, answer))
    })
  }

  it('answers as ssh does to any configuration', function () {
    this.timeout(Number(process.env['BRAMBLE_CASES'] ?? 60) * 1000)
    const host = fc.constantFrom(
      'rpi1',
      'rpi2',
      'rpi*',
      '*',
      '!rpi1',
      '!*2',
      'rpi?',
      '10.0.0.*',
      'Rpi1',
      '"rpi1"',
    )
    const setting = fc.oneof(
      fc.constantFrom(
        'HostName 10.0.0.1',
        'HostName %h.lan',
        'hostname=rpi2',
        'User pi',
        'User "root"',
        'Port 23',
      ),
      fc.constantFrom(
        'port = 24',
        'IdentityFile /k/a',
        'IdentityFile "/k/b c"',
        'IdentitiesOnly yes',
        '# Port 9',
      ),
      fc.constantFrom('ProxyJump gate', 'ProxyJump none', 'ProxyCommand nc %h "%p"', 'HostKeyAlias one', ''),
      fc.constantFrom('Include DIR/inner', 'Include DIR/inne?', 'Include "DIR/none"', 'ConnectTimeout 5'),
    )
    const list = fc.array(host, { minLength: 1, maxLength: 3 })
    const criterion = fc.oneof(
      fc.tuple(fc.constantFrom('host', '!host', 'originalhost', 'user'), list).map(([name, patterns]) => {
        return `${name} ${patterns.map((one) => one.replaceAll('"', '')).join(',')}`
      }),
      fc.constantFrom('user pi', '!user pi,root', 'localuser root,*', 'exec "test %p = 23"'),
    )
    const head = fc.oneof(
      list.map((patterns) => `Host ${patterns.join(' ')}`),
      fc.array(criterion, { minLength: 1, maxLength: 2 }).map((criteria) => `Match ${criteria.join(' ')}`),
      fc.constant('Match all'),
    )
    const section = fc.tuple(head, fc.array(setting, { maxLength: 4 })).map(([first, rest]) => {
      return [first, ...rest.map((line) => `  ${line}`)].join('\n')
    })
    const text = fc.array(section, { maxLength: 4 }).map((sections) => `${sections.join('\n')}\n`)
    const inner = text.map((one) => one.replaceAll(/Include .*/g, ''))
    const property = fc.property(text, inner, (config, included) => {
      // Versions of OpenSSH answer differently.
      fc.pre(!/ProxyJump none[^]*ProxyCommand/.test(config + included + config))
      const file = write({ config, inner: included })
      const ask: Question = { names: ['rpi1'] }
      const answer = bramble(file, ask)
      assert.deepEqual(answer, openssh(file, ask, answer))
    })
    fc.assert(property, { seed, numRuns: Number(process.env['BRAMBLE_CASES'] ?? 60) })
  })

  it('compares Host lines with every name of the host', () => {
    const file = write({ config: 'Host 10.0.0.*\n User pi\nHost rpi1 !10.0.0.2\n Port 23\n' })
    const one = bramble(file, { names: ['rpi1', '10.0.0.1'] })
    assert.deepEqual([one['user'], one['port']], ['pi', '23'])
    const other = bramble(file, { names: ['rpi1', '10.0.0.2'] })
    assert.deepEqual([other['user'], other['port']], ['pi', '22'])
  })

  it('says which section it leaves out', () => {
    const file = write({
      config: 'Match final\n Port 23\nMatch user pi canonical\n Port 24\nMatch host x final\n',
    })
    const { ignored, port } = askConfig(readSshConfig(file), { names: ['rpi1'] })
    assert.deepEqual(ignored, [
      `${file}:1: \`Match final\` is not supported: what stands below it is left out`,
    ])
    assert.equal(port, undefined)
  })

  const bad: Record<string, [string, RegExp]> = {
    'a quote that is not closed': ['Host rpi1\n User "pi\n', /a quote is not closed\n {2}at .*config:2\n/],
    'a port that is none': ['Port 70000\n', /Port is not valid\n {2}at .*config:1\n[^]*found: +70000/],
    'a token that means nothing': ['HostName %q.lan\n', /%q means nothing/],
    'files that include each other': ['Include DIR/config\n', /include each other/],
  }
  for (const [name, [config, says]] of Object.entries(bad)) {
    it(`refuses ${name}`, () => {
      const file = write({ config })
      assert.throws(
        () => askConfig(readSshConfig(file), { names: ['rpi1'] }).hostname,
        (error) => error instanceof InputError && says.test(error.describe()),
      )
    })
  }

  it('is nothing with `none`, and has to be there when it is named', () => {
    assert.deepEqual(readSshConfig('none'), [])
    assert.throws(() => readSshConfig('/no/such/config'), /the file of BRAMBLE_SSH_CONFIG is not there/)
  })
})
