import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { attempt, run } from '../../src/lab/run.ts'
import { until } from '../../src/lab/wait.ts'
import { startSshd, type Sshd } from '../sshd.ts'
import { atTerminal } from './terminal.ts'
import { ensurePackages } from '../packages.ts'

const root = join(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'bramble-config-'))
const at = (name: string): string => join(directory, name)
const passphrase = 'thorny-4711'

/** A home and a project of one test. */
interface Place {
  home: string
  project: string
  /** Runs the built program there. */
  bramble(words: readonly string[], env?: Record<string, string>): Promise<Ran>
}

interface Ran {
  code: number
  stdout: string
  stderr: string
}

let count = 0

/** Writes the files of a test: below `home/` or `project/`. */
function place(files: Readonly<Record<string, string>>): Place {
  const own = at(`place-${++count}`)
  for (const [name, text] of Object.entries({ 'project/x': '', 'home/.ssh/x': '', ...files })) {
    mkdirSync(dirname(join(own, name)), { recursive: true })
    writeFileSync(join(own, name), text, { mode: 0o600 })
  }
  const home = join(own, 'home')
  const project = join(own, 'project')
  return {
    home,
    project,
    bramble: (words, env = {}) => {
      const bramble = `cd ${project} && exec ${process.execPath} ${join(root, 'bin/bramble')} "$@"`
      const settings = Object.entries({ HOME: home, ...env }).map(([name, value]) => `${name}=${value}`)
      return attempt(['env', '-u', 'SSH_AUTH_SOCK', ...settings, 'sh', '-c', bramble, 'sh', ...words])
    },
  }
}

/** An inventory of hosts; what is said of each is JSON. */
function inventory(hosts: Readonly<Record<string, Record<string, unknown>>>): Record<string, string> {
  return { 'project/inventory/hosts.yml': JSON.stringify({ all: { hosts } }) }
}

async function makeKey(name: string, secret = ''): Promise<string> {
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-a', '1', '-N', secret, '-C', name, '-f', at(name)])
  return readFileSync(at(`${name}.pub`), 'utf8')
}

/** As `ssh-keygen -l` prints it. */
async function fingerprintOf(publicKey: string): Promise<string> {
  const printed = await run(['ssh-keygen', '-l', '-f', '-'], { input: publicKey })
  return printed.split(' ')[1] ?? ''
}

function hello({ code, stdout, stderr }: Ran): void {
  assert.equal(stdout, 'rpi1  hello\n', stderr)
  assert.equal(code, 0)
}

function accepted(one: Sshd): number {
  return one.log().match(/Accepted publickey/g)?.length ?? 0
}

function recorded({ project }: Place): string {
  return readFileSync(join(project, '.bramble/known_hosts'), 'utf8')
}

describe('the configuration of OpenSSH', function () {
  this.timeout(60_000)
  let sshd: Sshd
  let gate: Sshd
  let other: Sshd
  let agent: ChildProcess
  const socket = at('agent')
  /** What reaches `sshd`, in ~/.ssh/config. */
  let reaches = ''
  const echo = ['exec', 'rpi1', '--', 'echo', 'hello']

  before(async () => {
    await ensurePackages({ socat: 'socat', 'ssh-agent': 'openssh-client', script: 'bsdutils' })
    const keys = [await makeKey('plain'), await makeKey('locked', passphrase), await makeKey('held')]
    for (const name of ['unknown1', 'unknown2', 'unknown3', 'oldhost']) await makeKey(name)
    writeFileSync(at('authorized'), keys.join(''))
    const settings = `AuthorizedKeysFile ${at('authorized')}\nMaxAuthTries 3\nLogLevel VERBOSE`
    ;[sshd, gate, other] = await Promise.all([startSshd(settings), startSshd(settings), startSshd(settings)])
    agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    await until('ssh-agent', 10_000, () => existsSync(socket), 10)
    for (const name of ['unknown1', 'unknown2', 'unknown3', 'held']) {
      await run(['env', `SSH_AUTH_SOCK=${socket}`, 'ssh-add', '-q', at(name)])
    }
    reaches = `  HostName 127.0.0.1\n  Port ${sshd.port}\n  User root\n`
  })

  after(async () => {
    if (agent.kill()) await once(agent, 'exit')
    await Promise.all([sshd, gate, other].map((one) => one.stop()))
    rmSync(directory, { recursive: true, force: true })
  })

  const alone = inventory({ rpi1: { address: '10.99.0.1' } })
  const config = (text: string) => ({ ...alone, 'home/.ssh/config': text })

  const reaching = (text: string) => place(config(`Host rpi1\n${reaches}${text}`))
  const withLocked = () => place(config(`Host rpi1\n${reaches} IdentityFile ${at('locked')}\n`))
  const gates = () =>
    `Host gate other\n  HostName 127.0.0.1\n  User root\n  IdentityFile ${at('plain')}\n` +
    `Host gate\n  Port ${gate.port}\nHost other\n  Port ${other.port}\n` +
    `Host rpi*\n${reaches}  IdentityFile ${at('plain')}\n`

  describe('says how hosts are reached', () => {
    it('where the inventory leaves it unsaid', async () => {
      hello(await place(config(`Host rpi*\n${reaches}  IdentityFile ${at('plain')}\n`)).bramble(echo))
    })

    it('in a file of its own that BRAMBLE_SSH_CONFIG names', async () => {
      const here = place({ ...alone, 'home/mine': `Host rpi*\n${reaches}  IdentityFile ${at('plain')}\n` })
      hello(await here.bramble(echo, { BRAMBLE_SSH_CONFIG: join(here.home, 'mine') }))
    })

    it('but the inventory beats it', async () => {
      const said = {
        ansible_host: '127.0.0.1',
        ansible_port: sshd.port,
        ansible_user: 'root',
        ansible_ssh_private_key_file: at('plain'),
      }
      const wrong = 'Host *\n HostName 127.0.0.9\n Port 1\n User nobody\n IdentityFile /no/such\n'
      hello(await place({ ...inventory({ rpi1: said }), 'home/.ssh/config': wrong }).bramble(echo))
    })

    it('with a proxy command', async () => {
      const proxy = `Host rpi1\n User root\n IdentityFile ${at('plain')}\n ProxyCommand socat - TCP:127.0.0.1:${sshd.port},nodelay # %n\n`
      hello(await place(config(proxy.replace(' # %n', ''))).bramble(echo))
    })

    it('and what it leaves out is told', async () => {
      const here = place(config(`Match final\n Port 1\nHost rpi*\n${reaches} IdentityFile ${at('plain')}\n`))
      const ran = await here.bramble(echo)
      hello(ran)
      assert.match(ran.stderr, /^warning: .*config:1: `Match final` is not supported/)
    })

    it('and a command of it that hangs is told before any host is touched', async () => {
      const start = performance.now()
      const { code, stderr } = await place(config(`Match exec "sleep 600"\n${reaches}`)).bramble(echo)
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^the command of a Match exec did not end within 10 s\n {2}at .*\.ssh\/config:1\n {2}found: +sleep 600\n/,
      )
      assert.ok(performance.now() - start < 20_000)
    })

    it('and a mistake in it is told before any host is touched', async () => {
      const { code, stderr } = await place(config('Host rpi1\n User "pi\n')).bramble(echo)
      assert.equal(code, 1)
      assert.match(stderr, /^a quote is not closed\n {2}at .*config:2\n/)
    })
  })

  describe('names keys', () => {
    it('that are tried in order', async () => {
      const names = ['unknown1', 'unknown2', 'plain'].map((name) => ` IdentityFile ${at(name)}\n`)
      hello(await reaching(names.join('')).bramble(echo))
    })

    it('or else those of ~/.ssh are taken', async () => {
      const here = place({
        ...config(`Host rpi1\n${reaches}`),
        'home/.ssh/id_ed25519': readFileSync(at('plain'), 'utf8'),
      })
      hello(await here.bramble(echo))
    })

    it('and all that were offered when none is accepted', async () => {
      const { code, stderr } = await reaching(
        `IdentityFile ${at('unknown1')}\nIdentityFile ${at('unknown2')}\n`,
      ).bramble(echo)
      assert.equal(code, 4)
      assert.match(
        stderr,
        /refused the login\n {2}expected: one of these to be accepted:\n +.*unknown1\n +.*unknown2\n/,
      )
    })

    it('that an agent holds', async () => {
      const only = `IdentitiesOnly yes\n IdentityFile ${at('held.pub')}\n`
      hello(await reaching(only).bramble(echo, { SSH_AUTH_SOCK: socket }))
    })

    it('that an agent holds, before its others', async () => {
      hello(await reaching(`IdentityFile ${at('held')}.pub\n`).bramble(echo, { SSH_AUTH_SOCK: socket }))
      const many = await reaching('').bramble(echo, { SSH_AUTH_SOCK: socket })
      assert.equal(many.code, 4, 'the server takes three keys only')
      assert.match(many.stderr, /Too many authentication failures[^]*|refused the login/)
    })

    it('in a socket of its own', async () => {
      hello(await reaching(`IdentityAgent ${socket}\n IdentityFile ${at('held.pub')}\n`).bramble(echo))
    })

    it('and an agent that is gone does no harm', async () => {
      hello(
        await reaching(`IdentityFile ${at('plain')}\n`).bramble(echo, { SSH_AUTH_SOCK: '/no/such/agent' }),
      )
    })
  })

  describe('names an agent', () => {
    it('that hangs, which is waited for once and told', async () => {
      const silent = createServer().listen(at('silent'))
      try {
        const hosts = inventory({ rpi1: { address: '10.99.0.1' }, rpi2: { address: '10.99.0.2' } })
        const text = `Host rpi*\n${reaches} IdentityFile ${at('plain')}\n`
        const here = place({ ...hosts, 'home/.ssh/config': text })
        const start = performance.now()
        const env = { SSH_AUTH_SOCK: at('silent') }
        const { code, stdout, stderr } = await here.bramble(['exec', 'all', '--', 'echo', 'hello'], env)
        assert.equal(code, 0, stderr)
        assert.equal(stdout.match(/hello/g)?.length, 2)
        assert.equal(
          stderr,
          `warning: ssh-agent at ${at('silent')} did not answer within 10 s: no key of it is used\n`,
        )
        assert.ok(performance.now() - start < 20_000)
      } finally {
        silent.close()
      }
    })

    it('that waits for somebody to confirm, which is told as what it is', async () => {
      writeFileSync(at('sleeping'), `#!/bin/sh\necho $$ >${at('asked')}\nexec sleep 600\n`, { mode: 0o700 })
      const careful = at('careful')
      const child = spawn('ssh-agent', ['-D', '-a', careful], {
        stdio: 'ignore',
        env: { ...process.env, DISPLAY: ':0', SSH_ASKPASS: at('sleeping') },
      })
      try {
        await until('ssh-agent', 10_000, () => existsSync(careful), 10)
        await run(['env', `SSH_AUTH_SOCK=${careful}`, 'ssh-add', '-q', '-c', at('held')])
        const impatient = ` ConnectTimeout 8\n IdentityFile ${at('held')}.pub\n`
        const { code, stderr } = await reaching(impatient).bramble(echo, { SSH_AUTH_SOCK: careful })
        assert.equal(code, 4)
        assert.match(
          stderr,
          /^rpi1: ssh-agent did not sign\n {2}found: +ssh-agent SHA256:\S+: no answer yet\n {2}next: +Is it locked/,
        )
      } finally {
        if (child.kill()) await once(child, 'exit')
        // The agent leaves it behind.
        if (existsSync(at('asked'))) process.kill(Number(readFileSync(at('asked'), 'utf8')))
      }
    })
  })

  describe('names a key that a passphrase protects', () => {
    it('which BRAMBLE_KEY_PASSPHRASE opens', async () => {
      hello(await withLocked().bramble(echo, { BRAMBLE_KEY_PASSPHRASE: passphrase }))
    })

    it('which a wrong passphrase does not open', async () => {
      const { code, stderr } = await withLocked().bramble(echo, { BRAMBLE_KEY_PASSPHRASE: 'rose-4711' })
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^the passphrase does not open the private key .*locked\n {2}found: +the one in BRAMBLE_KEY_PASSPHRASE\n/,
      )
      assert.doesNotMatch(stderr, /rose-4711/)
    })

    it('which nobody can be asked for', async () => {
      const { code, stderr } = await withLocked().bramble(echo)
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^the private key .*locked is protected by a passphrase\n {2}next: +Give it to your agent: ssh-add /,
      )
    })

    it('which is not needed where another key lets in', async () => {
      hello(
        await place(
          config(`Host rpi1\n${reaches} IdentityFile ${at('plain')}\n IdentityFile ${at('locked')}\n`),
        ).bramble(echo),
      )
    })

    it('which the agent has opened already', async () => {
      const askpass = at('askpass')
      writeFileSync(askpass, `#!/bin/sh\necho ${passphrase}\n`, { mode: 0o700 })
      const env = [`SSH_AUTH_SOCK=${socket}`, `SSH_ASKPASS=${askpass}`, 'SSH_ASKPASS_REQUIRE=force']
      await run(['env', ...env, 'ssh-add', '-q', at('locked')])
      hello(await withLocked().bramble(echo, { SSH_AUTH_SOCK: socket }))
      await run(['env', ...env, 'ssh-add', '-q', '-d', at('locked')])
    })

    it('which is asked for once at a terminal, for all hosts', async () => {
      const two = inventory({ rpi1: { address: '10.99.0.1' }, rpi2: { address: '10.99.0.2' } })
      const { project, home } = place({
        ...two,
        'home/.ssh/config': `Host rpi*\n${reaches} IdentityFile ${at('locked')}\n`,
      })
      const screen = await atTerminal(
        home,
        project,
        ['exec', 'all', '--', 'echo', 'hello'],
        /passphrase of .*locked: /,
        passphrase,
      )
      assert.equal(screen.code, 0, screen.text)
      assert.equal(screen.text.match(/passphrase of/g)?.length, 1)
      assert.match(screen.text, /rpi1 {2}hello/)
      assert.match(screen.text, /rpi2 {2}hello/)
      assert.ok(!screen.text.includes(passphrase))
    })
  })

  describe('names jump hosts', () => {
    it('which the connection goes through, one after another', async () => {
      const before = [gate, other, sshd].map(accepted)
      const here = place(config(`${gates()}  ProxyJump gate,other\n`))
      hello(await here.bramble(echo))
      assert.deepEqual(
        [gate, other, sshd].map(accepted),
        before.map((number) => number + 1),
      )
      const known = readFileSync(join(here.project, '.bramble/known_hosts'), 'utf8')
      for (const { port } of [gate, other, sshd])
        assert.match(known, new RegExp(`^\\[127.0.0.1\\]:${port} ssh-ed25519 `, 'm'))
    })

    it('in the inventory, too', async () => {
      const before = accepted(gate)
      const files = inventory({ rpi1: { address: '10.99.0.1', proxy_jump: 'gate' } })
      hello(await place({ ...files, 'home/.ssh/config': gates() }).bramble(echo))
      assert.equal(accepted(gate), before + 1)
    })

    it('of which hosts share one connection', async () => {
      const before = [gate, sshd].map(accepted)
      const hosts = Array.from(
        { length: 20 },
        (_, index) => [`rpi${index}`, { address: `10.99.0.${index + 1}` }] as const,
      )
      const here = place({
        ...inventory(Object.fromEntries(hosts)),
        // All of them shake hands at once.
        'home/.ssh/config': `${gates()}  ProxyJump gate\n  ConnectTimeout 60\n`,
      })
      const { code, stdout, stderr } = await here.bramble(['exec', 'all', '--', 'echo', 'hello'])
      assert.equal(code, 0, stderr)
      assert.doesNotMatch(stderr, /Warning/)
      assert.equal(stdout.match(/hello/g)?.length, 20)
      assert.deepEqual([gate, sshd].map(accepted), [(before[0] ?? 0) + 1, (before[1] ?? 0) + 20])
    })

    it('whose keys are checked', async () => {
      const here = place(config(`${gates()}  ProxyJump gate\n`))
      mkdirSync(join(here.project, '.bramble'))
      writeFileSync(
        join(here.project, '.bramble/known_hosts'),
        `[127.0.0.1]:${gate.port} ${readFileSync(at('oldhost.pub'), 'utf8')}`,
      )
      const { code, stderr } = await here.bramble(echo)
      assert.equal(code, 2)
      assert.match(
        stderr,
        /^jump host gate: its host key has changed[^]*next: +If it was reflashed[^]*bramble trust HOST, with a host behind it/,
      )
      // What takes rpi1's new key knowingly does not take the gate's with it.
      mkdirSync(join(here.project, 'playbooks'))
      writeFileSync(
        join(here.project, 'playbooks/site.ts'),
        "import { playbook } from 'bramble'\nexport default playbook({ name: 'site', plays: [] })\n",
      )
      const before = readFileSync(join(here.project, '.bramble/known_hosts'), 'utf8')
      const replaced = await here.bramble(['node', 'replace', 'rpi1', '--yes'])
      assert.equal(replaced.code, 2)
      assert.match(replaced.stderr, /^jump host gate: its host key has changed/)
      assert.equal(readFileSync(join(here.project, '.bramble/known_hosts'), 'utf8'), before)
      const trusted = await here.bramble(['trust', 'rpi1', '--yes'])
      assert.equal(trusted.code, 0, trusted.stderr)
      assert.match(trusted.stdout, /^jump host gate [^]*new: [^]*^rpi1 [^]*new: /m)
      hello(await here.bramble(echo))
    })

    it('and says which one is in the way', async () => {
      const down = place(config(`${gates()}  ProxyJump 127.0.0.1:1\n`))
      const first = await down.bramble(echo)
      assert.equal(first.code, 4)
      assert.match(first.stderr, /^jump host 127\.0\.0\.1:1: .* cannot be reached/)
      const behind = place(config(`${gates()}  ProxyJump gate\n`.replace(`Port ${sshd.port}`, 'Port 1')))
      const second = await behind.bramble(echo)
      assert.equal(second.code, 4)
      assert.match(
        second.stderr,
        /^rpi1: root@127\.0\.0\.1:1 cannot be reached through jump host gate[^]*Connection refused/,
      )
      const dropping = await dropsConnections()
      try {
        const text = `${gates()}  ProxyJump gate\n  ConnectTimeout 3\n`
        const start = performance.now()
        const third = await place(config(text.replace(`Port ${sshd.port}`, `Port ${dropping.port}`))).bramble(
          echo,
        )
        assert.equal(third.code, 4)
        assert.match(
          third.stderr,
          /^rpi1: root@127\.0\.0\.1:\d+ cannot be reached through jump host gate\n {2}found: +no connection within 3 s\n/,
        )
        assert.ok(performance.now() - start < 30_000)
      } finally {
        dropping.stop()
      }
      const round = await place(config('Host rpi1 b\n ProxyJump a\nHost a\n ProxyJump b\n')).bramble(echo)
      assert.equal(round.code, 1)
      assert.match(
        round.stderr,
        /^jump hosts lead back to where they came from\n {2}found: +rpi1 through a through b through a$/m,
      )
    })
  })

  describe('and known_hosts', () => {
    let said: Record<string, string> = {}
    let old = ''
    let id = ''
    before(() => {
      const host = { ansible_host: '127.0.0.1', ansible_port: sshd.port, ansible_user: 'root' }
      said = inventory({ rpi1: { ...host, ansible_ssh_private_key_file: at('plain') } })
      old = readFileSync(at('oldhost.pub'), 'utf8')
      id = `[127.0.0.1]:${sshd.port}`
    })

    it('take in a host that nobody knows yet', async () => {
      const here = place(said)
      hello(await here.bramble(echo))
      assert.equal(recorded(here), `${id} ${sshd.hostKey.split(' ').slice(0, 2).join(' ')}\n`)
      hello(await here.bramble(echo))
      assert.equal(recorded(here).split('\n').length, 2)
    })

    for (const [name, files, env] of [
      ['BRAMBLE_HOST_KEYS', {}, { BRAMBLE_HOST_KEYS: 'strict' }],
      ['host_keys', { 'project/inventory/group_vars/all.yml': 'host_keys: strict\n' }, {}],
      ['StrictHostKeyChecking', { 'home/.ssh/config': 'StrictHostKeyChecking yes\n' }, {}],
    ] as const) {
      it(`do not where ${name} says so`, async () => {
        const here = place({ ...said, ...files })
        const { code, stderr } = await here.bramble(echo, env)
        assert.equal(code, 2)
        assert.match(
          stderr,
          /^rpi1: its host key is not known\n {2}expected: +a line for[^]*found: +ssh-ed25519 SHA256:[^]*bramble trust rpi1/,
        )
        assert.ok(!existsSync(join(here.project, '.bramble/known_hosts')))
        assert.equal((await here.bramble(['trust', 'rpi1', '--yes'], env)).code, 0)
        hello(await here.bramble(echo, env))
      })
    }

    it('stop a host whose key has changed, until it is trusted', async () => {
      const here = place({ ...said, 'project/.bramble/known_hosts': `rpi2,${id} ${old}10.0.0.1 ${old}` })
      const { code, stderr } = await here.bramble(echo)
      assert.equal(code, 2)
      const [was, is] = [await fingerprintOf(old), await fingerprintOf(sshd.hostKey)]
      const says = `rpi1: its host key has changed
  at ${here.project}/.bramble/known_hosts:1
  expected: ssh-ed25519 ${was}
  found:    ssh-ed25519 ${is}
  next:     If it was reflashed, or its system installed anew: bramble trust rpi1
`
      assert.equal(stderr.slice(0, says.length), says)
      const asked = await here.bramble(['trust', 'rpi1'])
      assert.equal(asked.code, 1)
      assert.match(asked.stderr, /^there is no terminal to confirm in\n {2}next: .*--yes/)
      const trusted = await here.bramble(['trust', 'rpi1', '--yes'])
      assert.equal(trusted.code, 0, trusted.stderr)
      assert.match(
        trusted.stdout,
        new RegExp(`  old: ssh-ed25519 ${escaped(was)} .*\n  new: ssh-ed25519 ${escaped(is)}\n`),
      )
      assert.equal(
        recorded(here),
        `rpi2 ${old}10.0.0.1 ${old}${id} ${sshd.hostKey.split(' ').slice(0, 2).join(' ')}\n`,
      )
      hello(await here.bramble(echo))
      assert.match(
        (await here.bramble(['trust', 'rpi1', '--yes'])).stdout,
        /shows the key on record: ssh-ed25519 SHA256:/,
      )
    })

    it('are asked about at a terminal', async () => {
      const { project, home } = place({ ...said, 'project/.bramble/known_hosts': `${id} ${old}` })
      const no = await atTerminal(
        home,
        project,
        ['trust', 'rpi1'],
        /Trust the new key of rpi1\? \[y\/N\] /,
        'n',
      )
      assert.equal(no.code, 2)
      assert.equal(readFileSync(join(project, '.bramble/known_hosts'), 'utf8'), `${id} ${old}`)
      const yes = await atTerminal(home, project, ['trust', 'rpi1'], /\[y\/N\] /, 'y')
      assert.equal(yes.code, 0, yes.text)
      assert.ok(
        readFileSync(join(project, '.bramble/known_hosts'), 'utf8').includes(
          sshd.hostKey.split(' ')[1] ?? '',
        ),
      )
    })

    it('never take a key that is revoked', async () => {
      const revoked = `@revoked * ${sshd.hostKey}\n`
      const here = place({ ...said, 'home/.ssh/known_hosts': revoked })
      const { code, stderr } = await here.bramble(echo)
      assert.equal(code, 2)
      assert.match(stderr, /^rpi1: its host key is revoked\n {2}at .*\.ssh\/known_hosts:1\n/)
      const trusted = await here.bramble(['trust', 'rpi1', '--yes'])
      assert.equal(trusted.code, 2)
      assert.match(trusted.stderr, /^rpi1: its host key is revoked/)
      assert.ok(!existsSync(join(here.project, '.bramble/known_hosts')))
    })

    it('of the user count where the project knows nothing, hashed ones too', async () => {
      const here = place({ ...said, 'home/.ssh/known_hosts': `${id} ${sshd.hostKey}\n` })
      await run(['ssh-keygen', '-q', '-H', '-f', join(here.home, '.ssh/known_hosts')])
      assert.match(readFileSync(join(here.home, '.ssh/known_hosts'), 'utf8'), /^\|1\|/)
      hello(await here.bramble(echo, { BRAMBLE_HOST_KEYS: 'strict' }))
      assert.ok(!existsSync(join(here.project, '.bramble/known_hosts')), 'it was known')
    })

    it('of the user may be wrong when the project knows better', async () => {
      const here = place({ ...said, 'home/.ssh/known_hosts': `${id} ${old}` })
      assert.match(
        (await here.bramble(echo)).stderr,
        /its host key has changed\n {2}at .*\.ssh\/known_hosts:1/,
      )
      const { stdout } = await here.bramble(['trust', 'rpi1', '--yes'])
      const [, command = ''] = /ssh itself still knows the old key: (.*)/.exec(stdout) ?? []
      hello(await here.bramble(echo))
      await run(['sh', '-c', command])
      assert.equal(readFileSync(join(here.home, '.ssh/known_hosts'), 'utf8'), '')
    })

    it('of the inventory are the only ones', async () => {
      const here = place({
        ...said,
        'project/inventory/group_vars/all.yml': 'known_hosts: ../mine\n',
        'project/mine': `${id} ${sshd.hostKey}\n`,
        'home/.ssh/known_hosts': `@revoked * ${sshd.hostKey}\n`,
      })
      hello(await here.bramble(echo, { BRAMBLE_HOST_KEYS: 'strict' }))
    })

    it('are not to be had of a host that is down', async () => {
      const host = { ansible_host: '127.0.0.1', ansible_port: 1, ansible_user: 'root' }
      const { code, stderr } = await place(inventory({ rpi1: host })).bramble(['trust', 'rpi1', '--yes'])
      assert.equal(code, 4)
      assert.match(stderr, /^rpi1: root@127\.0\.0\.1:1 cannot be reached/)
    })
  })
})

/** A port of this computer that takes no more connections and refuses none, as behind a firewall that drops packets. */
async function dropsConnections(): Promise<{ port: number; stop(): void }> {
  // It listens, and never looks: what the kernel holds for it is full after two connections.
  const server = `require('net').createServer().listen(0, '127.0.0.1', 1, function () {
    require('fs').writeSync(1, this.address().port + '\\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  })`
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(line)
  const waiting = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  for (const socket of waiting) {
    socket.on('error', () => undefined)
    await once(socket, 'connect')
  }
  const stop = () => {
    for (const socket of waiting) socket.destroy()
    child.kill('SIGKILL')
  }
  return { port, stop }
}

function escaped(text: string): string {
  return text.replaceAll(/[+/.]/g, String.raw`\$&`)
}
