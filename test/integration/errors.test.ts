import assert from 'node:assert/strict'
import { InputError } from '../../src/errors.ts'
import * as modules from '../../src/modules/index.ts'
import { playbook } from '../../src/playbook/play.ts'
import type { Handler, Resource } from '../../src/playbook/resource.ts'
import { sh } from '../../src/playbook/sh.ts'
import { rose } from '../unit/modules/keys-fixture.ts'
import { onHost, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Outcome, Project } from './project.ts'

const { absent, apt, authorizedKey, block, command, cron, directory, file, group, link, line, mount } =
  modules
const { networkInterface, service, sysctl, template, user, waitFor } = modules

interface Case {
  resource: Resource
  /** What the host's failure says, in this order. */
  says: RegExp
}

const unit = `printf '[Service]\\nExecStart=/bin/sh -c "echo thorns everywhere; exit 3"\\nType=oneshot\\n'`

const prepare = `
mkdir -p /srv/directory /srv/bad /mnt/tiny /mnt/small
touch /srv/file
useradd -m thorn
install -d -o thorn -m 700 /home/thorn/.ssh
ln -s /etc/shadow /home/thorn/.ssh/authorized_keys
useradd -m nettle
ln -s /root/.ssh /home/nettle/.ssh
mkdir -p /etc/cron.d
printf '# BEGIN BRAMBLE MANAGED BLOCK\\n' > /srv/half
printf '\\377\\000' > /srv/binary
mount -t tmpfs -o size=64k tmpfs /mnt/tiny
mount -t tmpfs -o size=60k tmpfs /mnt/small
echo old > /mnt/tiny/file
echo old > /srv/validated
${unit} > /etc/systemd/system/broken.service
systemctl daemon-reload
# An apt that holds dpkg's lock for as long as this lasts.
systemd-run --quiet --unit=holder apt-get -o DPkg::Pre-Install-Pkgs::='sleep 60' install -qq -y hello
tries=0
until grep -q ":$(stat -c %i /var/lib/dpkg/lock-frontend) " /proc/locks; do
  tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1
  sleep 0.1
done
`

/** Each on a host of the inventory of its own, which are all the same machine. */
const cases: Record<string, Case> = {
  'a lock that stays held names its holder': {
    resource: apt({ packages: ['tree'], lockTimeout: 1 }),
    says: /gave up after 1 s: \/var\/lib\/dpkg\/lock.* is held by process \d+: \/usr\/bin\/apt-get /,
  },
  'a group that is not there is named': {
    resource: user({ name: 'ivy', groups: ['no-such-group'] }),
    says: /user ivy: exited with code 6[^]*no-such-group/,
  },
  'a number that is taken is named': {
    resource: group({ name: 'ferns', gid: 0 }),
    says: /GID '0' already exists/,
  },
  'an owner who is not there is named': {
    resource: file({ path: '/srv/owned', content: 'x', owner: 'nobody-known' }),
    says: /file \/srv\/owned: [^]*nobody-known/,
  },
  'a user to become who is not there is named': {
    resource: file({ path: '/srv/become', content: 'x', becomeUser: 'nobody-known' }),
    says: /there is no user nobody-known on this host[^]*next: +make it first, with user\(/,
  },
  'a user to become has no more rights than it has': {
    resource: file({ path: '/srv/become', content: 'x', becomeUser: 'pi' }),
    says: /\/srv\/[^]*Permission denied/,
  },
  'a key does not follow a link to where only root may write': {
    resource: authorizedKey({ user: 'thorn', keys: rose }),
    says: /\/home\/thorn\/\.ssh\/authorized_keys is not as the user's own[^]*found: +symbolic link/,
  },
  'a key does not follow a link in place of its directory': {
    resource: authorizedKey({ user: 'nettle', keys: rose }),
    says: /\/home\/nettle\/\.ssh is not as the user's own[^]*found: +symbolic link/,
  },
  'a key of nobody names whom there is not': {
    resource: authorizedKey({ user: 'nobody-known', keys: rose }),
    says: /authorized keys of nobody-known: there is no user nobody-known on this host/,
  },
  'an entry of cron for nobody names whom there is not': {
    resource: cron({ name: 'bad', user: 'nobody-known', schedule: '@daily', command: sh`true` }),
    says: /cron bad: [^]*nobody-known[^]*the new \/etc\/cron\.d\/bad is not valid/,
  },
  'a file is not put in place of a directory': {
    resource: file({ path: '/srv/directory', content: 'x' }),
    says: /\/srv\/directory is not a regular file[^]*found: +a directory[^]*next: +remove it first/,
  },
  'a file without its directory says so': {
    resource: file({ path: '/srv/nowhere/file', content: 'x' }),
    says: /\/srv\/nowhere\/[^]*(No such file|nonexistent)/i,
  },
  'a file that is not valid is not written': {
    resource: file({
      path: '/srv/validated',
      content: 'x',
      validate: (candidate) => sh`grep -q rose ${candidate}`,
    }),
    says: /the new \/srv\/validated is not valid/,
  },
  'a full disk is told': {
    resource: file({ path: '/mnt/tiny/file', content: 'x'.repeat(200_000) }),
    says: /No space left on device/,
  },
  'a full disk is told for a small file too': {
    resource: file({ path: '/mnt/small/file', content: 'x'.repeat(65_000), title: 'small' }),
    says: /(No space left on device|I\/O error[^]*100% \/mnt\/small)/,
  },
  'a directory is not put in place of a file': {
    resource: directory({ path: '/srv/file' }),
    says: /\/srv\/file is not a directory[^]*found: +a file/,
  },
  'a link is not put in place of a file': {
    resource: link({ path: '/srv/file', target: '/' }),
    says: /\/srv\/file is not a symbolic link/,
  },
  'a file to edit has to be there': {
    resource: line({ path: '/srv/no-such-file', line: 'x' }),
    says: /there is no file \/srv\/no-such-file to edit; create: true would make one/,
  },
  'a file to edit has to be text': {
    resource: line({ path: '/srv/binary', line: 'x' }),
    says: /\/srv\/binary is not a text file/,
  },
  'a block with half its markers is left alone': {
    resource: block({ path: '/srv/half', block: 'x' }),
    says: /one marker of the block in \/srv\/half is gone[^]*no line # END/,
  },
  'a mount point is not removed with all in it': {
    resource: absent({ path: '/mnt/tiny' }),
    says: /absent \/mnt\/tiny: [^]*(busy|different device)/i,
  },
  'a kernel parameter that is not there is named': {
    resource: sysctl({ settings: { 'net.ipv4.no_such_thing': 1 }, file: '/etc/sysctl.d/a.conf' }),
    says: /the kernel does not take net\.ipv4\.no_such_thing = 1/,
  },
  'a value the kernel refuses is named': {
    resource: sysctl({
      settings: { 'net.ipv4.tcp_congestion_control': 'thorns' },
      file: '/etc/sysctl.d/b.conf',
    }),
    says: /the kernel does not take net\.ipv4\.tcp_congestion_control = thorns/,
  },
  'a service that is not there is named': {
    resource: service({ name: 'no-such-unit', state: 'started' }),
    says: /no-such-unit\.service[^]*not found/,
  },
  'a service that does not start shows its log': {
    resource: service({ name: 'broken', state: 'started' }),
    says: /service broken started: exited with code[^]*thorns everywhere/,
  },
  'what cannot be mounted says why': {
    resource: mount({ path: '/mnt/strange', source: 'none', type: 'no-such-fs' }),
    says: /unknown filesystem type 'no-such-fs'/,
  },
  'a command that fails shows its output': {
    resource: command({
      title: 'prune',
      run: sh`echo the shears are blunt >&2; exit 7`,
      creates: '/srv/never',
    }),
    says: /prune: exited with code 7[^]*errors\.test\.ts:\d+[^]*the shears are blunt/,
  },
  'a command fails at the first of its lines that does': {
    resource: command({ title: 'prune twice', run: sh`false\ntouch /srv/never`, creates: '/srv/never' }),
    says: /prune twice: exited with code 1/,
  },
  'a command that changes nothing did not converge': {
    resource: command({ title: 'nothing', run: sh`true`, creates: '/srv/never' }),
    says: /nothing: did not converge/,
  },
  'waiting ends': {
    resource: waitFor({ port: 9, timeout: 2 }),
    says: /waited 2 s in vain for 127\.0\.0\.1 port 9/,
  },
  'an address that the host does not have is named': {
    resource: networkInterface({ address: '192.168.188.11' }),
    says: /no interface has 192\.168\.188\.11[^]*10\.77\.0\.11/,
  },
}

describe('errors on a real host', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let host: LightHost
  /** Which no test before has touched. */
  let fresh: LightHost
  let project: Project
  let one: Project
  let outcome: Outcome
  const names = Object.fromEntries(Object.keys(cases).map((name, index) => [name, `host${index}`]))

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1', 'rpi2'] })
    const [first, second] = lab.hosts
    assert.ok(first && second)
    host = first
    fresh = second
    const all = ['well', ...Object.values(names)]
    // The inventory wants an address of its own for each; they are reached at the same one.
    project = makeProject(
      Object.fromEntries(
        all.map((name, index) => [name, { ...variablesOf(host), address: `10.88.0.${index + 1}` }]),
      ),
    )
    one = makeProject({ rpi1: variablesOf(host) })
    const { code, stderr } = await onHost(host, `set -e${prepare}`)
    assert.equal(code, 0, stderr)
    const byHost = new Map(Object.entries(cases).map(([name, { resource }]) => [names[name], resource]))
    const well = file({ path: '/srv/well', content: 'x' })
    // sshd refuses more connections than ten that have not logged in yet.
    outcome = await project.apply(({ name }) => [byHost.get(name) ?? well], { forks: 6 })
  })

  after(async () => {
    project?.remove()
    one?.remove()
    await lab?.stop()
  })

  for (const [name, { says }] of Object.entries(cases)) {
    it(name, () => {
      assert.match(outcome.reasons[names[name] ?? ''] ?? 'it did not fail', says)
    })
  }

  it('one host’s failure leaves the others alone', () => {
    assert.equal(outcome.ok, false)
    const { well } = outcome.hosts
    assert.deepEqual([well?.changed, well?.failed, outcome.reasons['well']], [1, 0, undefined])
  })

  it('what could not be written is as it was, with nothing left beside it', async () => {
    const { stdout } = await onHost(
      host,
      'cat /srv/validated /mnt/tiny/file; ls -A /mnt/tiny; ls -A /mnt/small; find /srv /home /root -name ".bramble*"; grep -l rose@ /etc/shadow /root/.ssh/*; ls /srv/never /etc/cron.d/bad',
    )
    assert.equal(stdout, 'old\nold\nfile\n')
  })

  it('a package that is not there is named', async () => {
    await onHost(host, 'systemctl stop holder; dpkg --configure -a')
    const { reasons } = await one.apply([apt({ packages: ['no-such-package-at-all'] })])
    assert.match(reasons['rpi1'] ?? '', /Unable to locate package no-such-package-at-all/)
  })

  it('bad input is found before the first connection', async () => {
    const source = { name: 'motd.ejs', text: 'hello\n<%= nobody %>\n' }
    await assert.rejects(
      one.apply(() => [template({ path: '/srv/motd', source, variables: {} })]),
      (error) =>
        error instanceof InputError && /nobody/.test(error.message) && error.details.at === 'motd.ejs:2',
    )
    await assert.rejects(
      one.apply(() => [absent({ path: '/srv' })]),
      InputError,
    )
  })

  it('a handler whose run was cut short runs in the next one', async () => {
    const note: Handler = { title: 'note it', apply: sh`echo done >>/srv/noted` }
    const config = file({ path: '/srv/config', content: 'x', notify: note })
    const stumble = command({ title: 'stumble', run: sh`exit 1`, creates: '/srv/config2' })
    const first = await one.apply([config, stumble])
    assert.deepEqual(first.titles('failed'), ['stumble'])
    const second = await one.apply([config])
    assert.deepEqual(
      [second.titles('ok'), second.titles('changed')],
      [['file /srv/config'], ['handler: note it']],
    )
    const third = await one.apply([config])
    assert.deepEqual(third.titles('ok'), ['file /srv/config', 'handler: note it'])
    assert.equal((await onHost(host, 'cat /srv/noted')).stdout, 'done\n')
  })

  it('a connection that is lost during a change is never a success', async () => {
    const cut = command({
      title: 'cut',
      run: sh`touch /srv/cut; pkill -KILL -u pi sshd; sleep 5`,
      creates: '/srv/cut',
    })
    const lost = await one.apply([cut])
    assert.equal(lost.ok, false)
    assert.match(lost.reasons['rpi1'] ?? '', /rpi1: cut: the connection was lost/)
    assert.equal(lost.hosts['rpi1']?.unreachable, false)
    const again = await one.apply([cut])
    assert.deepEqual(again.titles('ok'), ['cut'])
  })

  it('facts reach later plays, and one that is missing names its host', async () => {
    const facts: string[] = []
    const ask = { name: 'ask', hosts: 'rpi1', tasks: () => [networkInterface({ address: host.address })] }
    const use = (key: string) => ({
      name: 'use',
      hosts: 'rpi1',
      *tasks(_: unknown, context: { facts: { get(host: string, key: string): string } }) {
        facts.push(context.facts.get('rpi1', key))
        yield file({ path: '/srv/fact', content: facts.at(-1) ?? '' })
      },
    })
    await one.apply(playbook({ name: 'facts', plays: [ask, use('interface')] }))
    assert.equal((await onHost(host, 'cat /srv/fact')).stdout, 'eth0')
    const missing = await one.apply(playbook({ name: 'facts', plays: [ask, use('colour')] }))
    assert.match(missing.reasons['rpi1'] ?? '', /needs the colour of rpi1/)
  })

  it('a machine that restarts is waited for, and what follows is done', async () => {
    const alone = makeProject({ rpi2: variablesOf(fresh) })
    const restart = modules.reboot({ reason: 'test', timeout: 100 })
    try {
      await onHost(fresh, 'touch /run/reboot-required')
      const result = await alone.apply([restart, file({ path: '/srv/after', content: 'x' })])
      assert.deepEqual(result.titles('changed'), ['reboot (test)', 'file /srv/after'], result.reasons['rpi2'])
      assert.deepEqual((await alone.apply([restart])).titles('ok'), ['reboot (test)'])
    } finally {
      alone.remove()
    }
  })
})
