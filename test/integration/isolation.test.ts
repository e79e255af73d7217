import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { command, file } from '../../src/modules/index.ts'
import { until } from '../../src/lab/wait.ts'
import type { Resource } from '../../src/playbook/resource.ts'
import { sh } from '../../src/playbook/sh.ts'
import { onHost, only, shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { startProxy, type Proxy } from '../proxy.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Outcome, Project } from './project.ts'

/** Users of the machine, each with something that is wrong with it. */
const prepare = `set -e
apt-get install -qq -y --no-install-recommends tcsh fish >/dev/null 2>&1 || { apt-get update -qq && apt-get install -qq -y --no-install-recommends tcsh fish >/dev/null; }
for user in garbage leaving sleeping slow reading strict csh fish; do
  useradd --create-home --shell /bin/bash $user
  install -d -m 700 -o $user -g $user /home/$user/.ssh
  install -m 600 -o $user -g $user /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys
  echo "$user ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/$user
done
head -c 20000 /dev/urandom | base64 -w 100 > /etc/garbage
echo 'cat /etc/garbage; cat /etc/garbage >&2; cd /tmp; set -e; alias printf=false' > /home/garbage/.bashrc
echo 'echo goodbye >&2; exit 1' > /home/leaving/.bashrc
echo 'sleep 600' > /home/sleeping/.bashrc
echo 'sleep 2' > /home/slow/.bashrc
echo 'read -r answer' > /home/reading/.bashrc
echo 'Defaults:strict requiretty' >> /etc/sudoers.d/strict
usermod -s /bin/tcsh csh
echo 'echo hello from csh; set prompt = "> "' > /home/csh/.cshrc
usermod -s /usr/bin/fish fish
install -d -o fish -g fish /home/fish/.config /home/fish/.config/fish
echo 'echo hello from fish' > /home/fish/.config/fish/config.fish
printf 'Authorized gardeners only.\\n%s\\n' 'bramble' > /etc/issue.net
printf 'Banner /etc/issue.net\\nMaxStartups 100\\n' >> /etc/ssh/sshd_config
mkdir -p /mnt/tiny
mount -t tmpfs -o size=64k tmpfs /mnt/tiny
systemctl reload ssh
`

interface Case {
  variables?: (ways: Ways) => Record<string, unknown>
  task?: Resource
  /** What the failure says; undefined when there shall be none. */
  says?: RegExp
  /** The host never answered. Default false. */
  unreachable?: true
}

/** Ports of 127.0.0.1. */
interface Ways {
  /** Takes connections and says nothing. */
  silent: number
  /** Says who it is, as an SSH server does, and nothing more. */
  stuck: number
  /** Leads to the machine, and falls silent in the middle of the run. */
  hushed: number
}

const user = (name: string) => () => ({ ansible_user: name })
const at = (way: keyof Ways) => (ways: Ways) => ({
  ansible_host: '127.0.0.1',
  ansible_port: ways[way],
  proxy_command: undefined,
  known_hosts: undefined,
  ansible_timeout: way === 'hushed' ? 20 : 5,
})
const unreachable = true

/** A file of its own for each: they are all the same machine. */
const well = (name: string) => file({ path: `/srv/${name}`, content: 'x' })

const cases: Record<string, Case> = {
  'a host that is down': {
    variables: () => ({ ansible_host: '10.77.0.99', ansible_timeout: 5 }),
    says: /cannot be reached|did not speak SSH within/,
    unreachable,
  },
  'a host that takes the connection and says nothing': {
    variables: at('silent'),
    says: /127\.0\.0\.1:\d+ took the connection, but did not speak SSH within 5 s[^]*It hangs/,
    unreachable,
  },
  'a host that hangs in the handshake': {
    variables: at('stuck'),
    says: /began to speak SSH, but did not go on within 5 s/,
    unreachable,
  },
  'a host that falls silent in the middle of a run': {
    variables: at('hushed'),
    task: command({ title: 'hush', run: sh`touch /run/hush; sleep 9`, creates: '/never', timeout: 1 }),
    says: /hush: did not answer within 11 s/,
  },
  'a command that hangs': {
    task: command({ title: 'hang', run: sh`sleep 600`, creates: '/never', timeout: 2 }),
    says: /hang: did not answer within 12 s[^]*hangs, or takes longer/,
  },
  'a probe that hangs': {
    task: command({ title: 'look', run: sh`:`, unless: sh`sleep 600` }),
    says: /look: did not answer within 10 s/,
  },
  'a full disk': {
    task: file({ path: '/mnt/tiny/file', content: 'x'.repeat(200_000) }),
    says: /No space left on device/,
  },
  'a shell rc that prints garbage': { variables: user('garbage') },
  'a shell rc that takes its time': { variables: user('slow') },
  'a shell rc that ends the shell': {
    variables: user('leaving'),
    says: /the login shell of leaving ended with code 1[^]*goodbye/,
  },
  'a shell rc that hangs': {
    variables: user('sleeping'),
    says: /the shell of sleeping did not answer within 10 s[^]*rc file/,
  },
  'a shell rc that reads what is meant for the shell': {
    variables: user('reading'),
    says: /the shell did not get all that was sent to it[^]*rc file of reading/,
  },
  'a sudo that wants a terminal': {
    variables: user('strict'),
    says: /cannot become root[^]*must have a tty[^]*Defaults:strict !requiretty/,
  },
  'a user of csh': { variables: user('csh') },
  'a user of fish': { variables: user('fish') },
}

const names = Object.fromEntries(Object.keys(cases).map((name, index) => [name, `host${index}`]))

describe('hosts of which some are not well', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let host: LightHost
  let proxy: Proxy
  let ways: Ways
  let project: Project
  let outcome: Outcome
  const servers: Server[] = []
  let took = 0

  async function listen(greeting: string): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write(greeting)
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1'] })
    host = only(lab)
    const { code, stderr } = await onHost(host, prepare)
    assert.equal(code, 0, stderr)
    proxy = await startProxy(['nsenter', `--net=${lab.namespace}`, 'socat', '-', `TCP:${host.address}:22`])
    ways = {
      silent: await listen(''),
      stuck: await listen('SSH-2.0-OpenSSH_9.2\r\n'),
      hushed: proxy.port,
    }
    const hosts = Object.entries(cases).map(([name, { variables }], index) => [
      names[name],
      // The inventory wants an address of its own for each.
      { ...variablesOf(host), ansible_timeout: 20, ...variables?.(ways), address: `10.88.0.${index + 1}` },
    ])
    project = makeProject({ well: variablesOf(host), ...Object.fromEntries(hosts) })
    const byHost = new Map(Object.entries(cases).map(([name, { task }]) => [names[name], task]))
    const start = performance.now()
    const run = project.apply((one) => [byHost.get(one.name) ?? well(one.name)], { forks: 8, timeout: 10 })
    const told = async () => (await onHost(host, 'test -e /run/hush')).code === 0
    await until('the host that is to fall silent', 60_000, told, 500)
    proxy.hush()
    outcome = await run
    took = performance.now() - start
  })

  after(async () => {
    for (const server of servers) server.close()
    await proxy?.stop()
    project?.remove()
    await lab?.stop()
  })

  for (const [name, { says, unreachable = false }] of Object.entries(cases)) {
    it(`${name} ${says ? 'is told as what it is' : 'does no harm'}`, () => {
      const summary = outcome.hosts[names[name] ?? '']
      const reason = outcome.reasons[names[name] ?? '']
      if (says) assert.match(reason ?? 'it did not fail', says)
      else assert.equal(reason, undefined)
      assert.equal(summary?.unreachable, unreachable, reason)
      assert.equal((summary?.ok ?? 0) + (summary?.changed ?? 0), says ? 0 : 1)
    })
  }

  it('the others finish', () => {
    assert.equal(outcome.reasons['well'], undefined)
    assert.equal(outcome.hosts['well']?.failed, 0)
  })

  it('none is waited for longer than its deadlines', () => {
    assert.ok(took < 60_000, `${took} ms`)
  })

  it('a run that falls silent while it sends a large file is ended by the next one, which sends it anew', async () => {
    const through = makeProject({
      rpi1: { ...variablesOf(host), ...at('hushed')(ways), address: host.address },
    })
    const direct = makeProject({ rpi1: variablesOf(host) })
    try {
      const large = [file({ path: '/srv/large', content: 'rose\n'.repeat(4_000_000) })]
      proxy.heal()
      proxy.hush(5_000_000)
      const first = through.apply(large)
      await until('a part of it to be there', 60_000, async () =>
        (await shell(host, 'find /srv -name ".bramble*" -size +2M')).includes('bramble'),
      )
      const writing = `find /proc/[0-9]*/fd -lname '/srv/.bramble*' 2>/dev/null || :`
      assert.notEqual(await shell(host, writing), '')
      const start = performance.now()
      const second = await direct.apply(large)
      assert.deepEqual([second.reasons, second.hosts['rpi1']?.changed], [{}, 1])
      assert.ok(performance.now() - start < 120_000, 'it was waited for as long as the file may take')
      // What the first has left would have its say once the network is back.
      assert.equal(await shell(host, writing), '')
      assert.match((await first).reasons['rpi1'] ?? 'it did not fail', /the connection was lost/)
      assert.equal(await shell(host, 'wc -c </srv/large; find /srv -name ".bramble*"'), '20000000\n')
    } finally {
      through.remove()
      direct.remove()
    }
  })
})
