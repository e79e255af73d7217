import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/lab/run.ts'
import { file } from '../../src/modules/index.ts'
import { onHost, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { makeProject, variablesOf } from './project.ts'
import { atTerminal } from './terminal.ts'
import type { Outcome, Project } from './project.ts'

/** Users of the machine, by how they get to be root. */
const prepare = `set -e
for user in asked forbidden talking barred locked; do
  useradd --create-home --shell /bin/bash $user
  echo "$user:rose-4711" | chpasswd
  install -d -m 700 -o $user -g $user /home/$user/.ssh
  install -m 600 -o $user -g $user /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys
done
echo 'asked ALL=(ALL) ALL' > /etc/sudoers.d/asked
echo 'talking ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/talking
printf 'echo welcome\\necho beware >&2\\n' > /home/talking/.bashrc
usermod -s /usr/sbin/nologin barred
rm /home/locked/.ssh/authorized_keys
echo 'locked ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/locked
`

/** Keys and known hosts of the cases. */
const directory = join(tmpdir(), `bramble-keys-${process.pid}`)
const at = (name: string) => join(directory, name)

interface Case {
  variables: Record<string, unknown>
  /** What the failure says; undefined when there shall be none. */
  says?: RegExp
  /** The host never answered. Default false. */
  unreachable?: true
}

const unreachable = true

const cases: Record<string, Case> = {
  'a host that is switched off cannot be reached': {
    variables: { ansible_host: '10.77.0.99', ansible_timeout: 20 },
    says: /pi@10\.77\.0\.99:22 cannot be reached[^]*switched on/,
    unreachable,
  },
  'a host without an SSH server cannot be reached': {
    variables: { ansible_port: 23 },
    says: /pi@10\.77\.0\.11:23 cannot be reached[^]*Connection refused/,
    unreachable,
  },
  'a proxy command that is not there is named': {
    variables: { proxy_command: 'no-such-proxy %h' },
    says: /cannot be reached[^]*no-such-proxy: not found/,
    unreachable,
  },
  'a key that the host does not know is refused': {
    variables: { ansible_ssh_private_key_file: at('other_key') },
    says: /refused the login[^]*expected: +the key .*other_key to be accepted/,
    unreachable,
  },
  'a key file that is not there is named': {
    variables: { ansible_ssh_private_key_file: '/no/such/key' },
    says: /cannot read the private key \/no\/such\/key/,
    unreachable,
  },
  'a host key that has changed stops the host': {
    variables: { known_hosts: at('changed_hosts') },
    says: /its host key has changed[^]*expected: +ssh-ed25519 SHA256:[^]*found: +ssh-ed25519 SHA256:[^]*bramble trust host\d+/,
  },
  'a host key that is revoked stops the host': {
    variables: { known_hosts: at('revoked_hosts') },
    says: /its host key is revoked/,
  },
  'a host nobody knows yet is let in': { variables: { known_hosts: at('new_hosts') } },
  'a password lets in': {
    variables: {
      ansible_user: 'locked',
      ansible_ssh_private_key_file: undefined,
      ansible_password: 'rose-4711',
    },
  },
  'a wrong password is refused': {
    variables: {
      ansible_user: 'locked',
      ansible_ssh_private_key_file: undefined,
      ansible_password: 'thorn-4711',
    },
    says: /locked@10\.77\.0\.11:22 refused the login/,
    unreachable,
  },
  'a sudo password is given when sudo asks': {
    variables: { ansible_user: 'asked', ansible_become_password: 'rose-4711' },
  },
  'a wrong sudo password is refused': {
    variables: { ansible_user: 'asked', ansible_become_password: 'thorn-4711' },
    says: /sudo refused the password[^]*-K/,
  },
  'a sudo password that is missing is asked for': {
    variables: { ansible_user: 'asked' },
    says: /cannot become root[^]*a password is required[^]*-K/,
  },
  'a user who may not use sudo is told so': {
    variables: { ansible_user: 'forbidden', ansible_become_password: 'rose-4711' },
    says: /forbidden is not in the sudoers file/,
  },
  'a host without sudo is told so': {
    variables: { ansible_host: '10.77.0.12' },
    says: /sudo: not found|sudo: command not found/,
  },
  'a user who may not log in is told so': {
    variables: { ansible_user: 'barred' },
    says: /This account is currently not available/,
  },
  'a login that talks does no harm': { variables: { ansible_user: 'talking' } },
  'root needs no sudo': { variables: { ansible_user: 'root' } },
}

const names = Object.fromEntries(Object.keys(cases).map((name, index) => [name, `host${index}`]))

async function makeFiles({ address, knownHosts }: LightHost): Promise<void> {
  mkdirSync(directory, { recursive: true })
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at('other_key')])
  const other = readFileSync(at('other_key.pub'), 'utf8')
  writeFileSync(at('changed_hosts'), `${address} ${other}`)
  const own = readFileSync(knownHosts, 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${address},`))
  writeFileSync(at('revoked_hosts'), `@revoked ${own}\n`)
  writeFileSync(at('new_hosts'), '')
}

describe('connections to real hosts', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let host: LightHost
  let project: Project
  let outcome: Outcome

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1', 'rpi2'] })
    const [first, second] = lab.hosts
    assert.ok(first && second)
    host = first
    const prepared = await onHost(host, prepare)
    assert.equal(prepared.code, 0, prepared.stderr)
    await onHost(second, 'rm /usr/bin/sudo')
    await makeFiles(host)
    const hosts = Object.entries(cases).map(([name, { variables }], index) => [
      names[name],
      // The inventory wants an address of its own for each.
      { ...variablesOf(host), ...variables, address: `10.88.0.${index + 1}` },
    ])
    project = makeProject({ well: variablesOf(host), ...Object.fromEntries(hosts) })
    // They are all the same machine.
    outcome = await project.apply(({ name }) => [file({ path: `/srv/${name}`, content: 'x' })], { forks: 6 })
  })

  after(async () => {
    project?.remove()
    rmSync(directory, { recursive: true, force: true })
    await lab?.stop()
  })

  for (const [name, { says, unreachable = false }] of Object.entries(cases)) {
    it(name, () => {
      const summary = outcome.hosts[names[name] ?? '']
      const reason = outcome.reasons[names[name] ?? '']
      if (says) assert.match(reason ?? 'it did not fail', says)
      else assert.equal(reason, undefined)
      assert.equal(summary?.unreachable, unreachable, reason)
      assert.equal((summary?.ok ?? 0) + (summary?.changed ?? 0), says ? 0 : 1)
    })
  }

  it('hosts that cannot be reached leave the others alone', () => {
    assert.equal(outcome.reasons['well'], undefined)
    assert.equal(outcome.ok, false)
  })

  it('no password is in any report', () => {
    assert.ok(!/rose-4711|thorn-4711/.test(JSON.stringify(outcome)))
  })

  it('a sudo password is asked for at the terminal with -K, and not shown', async () => {
    const name = names['a sudo password that is missing is asked for'] ?? ''
    const tasks = `() => [file({ path: '/srv/asked', content: 'x' })]`
    writeFileSync(
      join(project.directory, 'asked.ts'),
      `import { file, play, playbook } from 'bramble'
export default playbook({ name: 'asked', plays: [play({ name: 'asked', hosts: 'all', tasks: ${tasks} })] })\n`,
    )
    const words = ['apply', 'asked.ts', '-l', name, '-K']
    const { code, text } = await atTerminal(
      directory,
      project.directory,
      words,
      /sudo password: /,
      'rose-4711',
    )
    assert.equal(code, 0, text)
    assert.doesNotMatch(text, /rose-4711/)
    assert.equal((await onHost(host, 'cat /srv/asked')).stdout, 'x')
  })

  it('Ctrl-C at the question for a password ends the program as interrupted', async () => {
    const words = ['exec', 'all', '-K', '--', 'true']
    const { code } = await atTerminal(directory, project.directory, words, /sudo password: /, '\u0003')
    assert.equal(code, 130)
  })

  it('a wrong sudo password is tried once: who is locked out after three is not', async () => {
    const { stdout } = await onHost(
      host,
      `journalctl --no-pager -o cat _COMM=sudo | grep -e incorrect -e failure`,
    )
    assert.match(stdout, /^ *asked : 1 incorrect password attempt ;/m)
    assert.equal(
      stdout.match(/authentication failure; logname=\S* uid=\d+ euid=0 .*user=asked$/gm)?.length,
      1,
      stdout,
    )
  })

  it('no password is in any log of the host', async () => {
    const { stdout } = await onHost(
      host,
      'journalctl --no-pager -o json | grep -c -e rose-4711 -e thorn-4711; ps -ef | grep -c [r]ose-4711',
    )
    assert.equal(stdout, '0\n0\n')
  })
})
