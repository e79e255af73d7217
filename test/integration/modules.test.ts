import assert from 'node:assert/strict'
import * as modules from '../../src/modules/index.ts'
import type { Handler, Resource } from '../../src/playbook/resource.ts'
import { sh } from '../../src/playbook/sh.ts'
import { Secret } from '../../src/secrets/secret.ts'
import { ivy, old, rose } from '../unit/modules/keys-fixture.ts'
import { onHost, only, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Outcome, Project } from './project.ts'

interface Case {
  resource: Resource
  /** Shell run before the first apply. */
  prepare?: string
  /** Shell that succeeds when the resource is as it should be. */
  check: string
  /** Shell that makes it otherwise. Default: `prepare`. */
  drift?: string
}

const { absent, apt, authorizedKey, block, command, cron, directory, file, group } = modules
const { line, link, mount, service, sysctl, template, timezone, user, waitFor } = modules

const restart: Handler = { title: 'restart the unit', apply: sh`systemctl restart case.service` }

/** A text with everything in it that a shell could take for something else. */
const odd = `it's "odd": $(id) \`id\` $HOME \\n \\\\ %s %d ! * ?\n\ttab\n\n…ü🌱\n'EOF'\nno newline at the end`

/** The same on one line, for a command of cron. */
const odder = `it's 100% "odd": $(id) $HOME \\n \\\\ \\% %% ! *`

const unit = `[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`

/** In this order on one host; a later one may rest on an earlier one. */
const cases: Record<string, Case> = {
  'packages are installed': {
    resource: apt({ packages: ['hello', 'tree=2.*'] }),
    check: 'hello && tree --version',
    drift: 'apt-get purge -qq -y hello',
  },
  'packages are removed': {
    resource: apt({ packages: ['busybox-static', 'no-such-package-at-all'], state: 'absent', purge: true }),
    check: '! test -e /bin/busybox',
    drift: 'apt-get install -qq -y busybox-static',
  },
  'a group is made': {
    resource: group({ name: 'gardeners', gid: 4321 }),
    check: 'getent group gardeners | grep -q :4321:',
    drift: 'groupmod -g 4322 gardeners',
  },
  'a group is removed': {
    resource: group({ name: 'weeds', state: 'absent' }),
    prepare: 'groupadd weeds',
    check: '! getent group weeds',
  },
  'a user is made': {
    resource: user({ name: 'rose', uid: 4001, groups: ['gardeners'], shell: '/bin/bash' }),
    check: 'test "$(id -u rose)" = 4001 && id -nG rose | grep -qw gardeners && test -d ~rose',
    drift: 'gpasswd -d rose gardeners; usermod -s /bin/sh rose',
  },
  'a user keeps its other groups': {
    resource: user({ name: 'pi', groups: ['gardeners'] }),
    prepare: 'usermod -aG video pi; gpasswd -d pi gardeners; true',
    check: 'id -nG pi | grep -qw gardeners && id -nG pi | grep -qw video',
  },
  'a user is removed': {
    resource: user({ name: 'thistle', state: 'absent' }),
    prepare: 'useradd thistle',
    check: '! id thistle',
  },
  'a directory is made, with those above it': {
    resource: directory({ path: "/srv/it's here/a b", owner: 'rose', group: 'gardeners', mode: '2775' }),
    check: 'test "$(stat -c %U:%G:%a "/srv/it\'s here/a b")" = rose:gardeners:2775',
    drift: 'chmod 700 "/srv/it\'s here/a b"',
  },
  'a file gets its text, whatever is in it': {
    resource: file({ path: "/srv/it's here/odd", content: odd }),
    check: `printf %s '${odd.replaceAll("'", `'\\''`)}' | cmp - "/srv/it's here/odd"`,
    drift: `echo >> "/srv/it's here/odd"`,
  },
  'a file gets bytes that are no text': {
    resource: file({ path: '/srv/bytes', content: Uint8Array.from({ length: 256 }, (_, index) => index) }),
    check:
      'test "$(sha256sum < /srv/bytes | cut -c 1-12)" = 40aff2e9d2d8 && test "$(stat -c %s /srv/bytes)" = 256',
    drift: 'printf x | dd of=/srv/bytes conv=notrunc status=none',
  },
  'a large file arrives whole': {
    resource: file({ path: '/srv/large', content: 'bramble\n'.repeat(100_000) }),
    check: 'test "$(sort -u /srv/large)" = bramble && test "$(stat -c %s /srv/large)" = 800000',
    drift: 'truncate -s 700000 /srv/large',
  },
  'an empty file is made': {
    resource: file({ path: '/srv/empty', content: '' }),
    check: 'test -e /srv/empty && ! test -s /srv/empty',
    drift: 'echo weed > /srv/empty',
  },
  'a secret file is not readable by others': {
    resource: file({ path: '/srv/secret', content: new Secret('thorn-4711'), mode: '0600', owner: 'rose' }),
    check: 'test "$(stat -c %U:%a /srv/secret)" = rose:600 && grep -qx thorn-4711 /srv/secret',
    drift: 'chmod 644 /srv/secret',
  },
  'a file takes the place of a link': {
    resource: file({ path: '/srv/was-link', content: 'plain\n' }),
    prepare: 'ln -sfn /etc/passwd /srv/was-link',
    check: '! test -L /srv/was-link && grep -qx plain /srv/was-link && ! grep -qx plain /etc/passwd',
  },
  'a validated file is written': {
    resource: file({
      path: '/etc/sudoers.d/rose',
      content: 'rose ALL=(ALL) ALL\n',
      mode: '0440',
      validate: (candidate) => sh`visudo -cf ${candidate}`,
    }),
    check: 'visudo -c && test "$(stat -c %a /etc/sudoers.d/rose)" = 440',
    drift: 'rm /etc/sudoers.d/rose',
  },
  'a template is filled in': {
    resource: template({
      path: '/srv/motd',
      source: { name: 'motd.ejs', text: '<% for (const name of names) { %>I am <%= name %>\n<% } %>' },
      variables: { names: ["rose & 'ivy'", '<moss>'] },
    }),
    check: `test "$(cat /srv/motd)" = "I am rose & 'ivy'\nI am <moss>"`,
    drift: 'echo weed >> /srv/motd',
  },
  'a line is replaced': {
    resource: line({ path: '/srv/settings', match: '^#?Port', line: 'Port 2222' }),
    prepare: `printf '#Port 22\\nUser pi' > /srv/settings; chmod 640 /srv/settings; chown pi /srv/settings`,
    check: `test "$(cat /srv/settings)" = 'Port 2222\nUser pi' && test "$(stat -c %U:%a /srv/settings)" = pi:640`,
  },
  'a line is appended, to a file made for it': {
    resource: line({ path: '/srv/list', line: "it's * new", create: true }),
    check: `grep -Fqx "it's * new" /srv/list`,
    drift: 'echo other > /srv/list',
  },
  'lines are removed': {
    resource: line({ path: '/srv/weeds', match: '^weed', state: 'absent' }),
    prepare: `printf 'weed 1\\nrose\\nweed 2\\n' > /srv/weeds`,
    check: 'test "$(cat /srv/weeds)" = rose',
  },
  'a block is put into a file': {
    resource: block({ path: '/etc/hosts', block: '10.77.0.11 rose\n10.77.0.12 ivy' }),
    check: 'getent hosts ivy | grep -q 10.77.0.12 && test "$(grep -c BRAMBLE /etc/hosts)" = 2',
    drift: 'sed -i s/ivy/moss/ /etc/hosts',
  },
  'a link is made': {
    resource: link({ path: '/srv/link', target: "it's here/odd" }),
    check: `test "$(readlink /srv/link)" = "it's here/odd" && test -e /srv/link`,
    drift: 'ln -sfn /etc/passwd /srv/link',
  },
  'a directory with all in it is removed': {
    resource: absent({ path: '/srv/old' }),
    prepare: 'mkdir -p /srv/old/er; touch /srv/old/er/x',
    check: '! test -e /srv/old',
  },
  'a file system is mounted, now and at boot': {
    resource: mount({ path: '/mnt/a b', source: 'tmpfs', type: 'tmpfs', options: 'size=64k,noexec' }),
    check: `findmnt -no FSTYPE,OPTIONS '/mnt/a b' | grep -q 'tmpfs.*noexec' && grep -q '/mnt/a.040b' /etc/fstab`,
    drift: `umount '/mnt/a b'`,
  },
  'a file system with other options is mounted anew': {
    resource: mount({ path: '/mnt/nosuid', source: 'tmpfs', type: 'tmpfs', options: 'nosuid' }),
    prepare: 'mkdir -p /mnt/nosuid; umount /mnt/nosuid; mount -t tmpfs tmpfs /mnt/nosuid',
    check:
      'findmnt -no OPTIONS /mnt/nosuid | grep -q nosuid && test "$(grep -c /mnt/nosuid /proc/mounts)" = 1',
  },
  'a directory is mounted at another place': {
    resource: mount({ path: '/mnt/bind', source: '/srv', type: 'none', options: 'bind' }),
    check: 'test -e /mnt/bind/motd',
    drift: 'umount /mnt/bind; sed -i /bind/d /etc/fstab',
  },
  'a mount is removed': {
    resource: mount({ path: '/mnt/gone', source: 'tmpfs', type: 'tmpfs', state: 'absent' }),
    prepare: `mkdir -p /mnt/gone; echo 'tmpfs /mnt/gone tmpfs defaults 0 0' >> /etc/fstab; mount /mnt/gone`,
    check: '! grep -q /mnt/gone /proc/mounts && ! grep -q /mnt/gone /etc/fstab',
  },
  'the file of a unit is written': {
    resource: file({ path: '/etc/systemd/system/case.service', content: unit, notify: restart }),
    check: 'test -e /etc/systemd/system/case.service',
    drift: 'echo "# weed" >> /etc/systemd/system/case.service',
  },
  'a service is started, now and at boot': {
    resource: service({ name: 'case', enabled: true, state: 'started' }),
    check: 'systemctl is-active case && systemctl is-enabled case',
    drift: 'systemctl disable --now case',
  },
  'a service is stopped and not started at boot': {
    resource: service({ name: 'cron-like.timer', enabled: false, state: 'stopped' }),
    prepare: `printf '[Timer]\\nOnCalendar=yearly\\n[Install]\\nWantedBy=timers.target\\n' > /etc/systemd/system/cron-like.timer
      printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/cron-like.service
      systemctl daemon-reload; systemctl enable --now cron-like.timer`,
    check: '! systemctl is-active cron-like.timer && ! systemctl is-enabled cron-like.timer',
  },
  'a time zone is set': {
    resource: timezone({ name: 'Europe/Berlin' }),
    check: 'readlink /etc/localtime | grep -q Europe/Berlin',
    drift: 'timedatectl set-timezone UTC',
  },
  'a command is run': {
    resource: command({
      title: 'something is done',
      run: sh`echo ${"it's done"} >/srv/done`,
      creates: '/srv/done',
    }),
    check: `grep -qx "it's done" /srv/done`,
    drift: 'rm /srv/done',
  },
  'a file is written by a user, who owns it': {
    resource: file({
      path: '/home/rose/notes',
      content: "it's mine\n",
      mode: '0640',
      becomeUser: 'rose',
      notify: { title: 'note as rose', apply: sh`id -un >>~/noted`, becomeUser: 'rose' },
    }),
    check: `test "$(stat -c %U:%G:%a /home/rose/notes)" = rose:rose:640 && grep -qx "it's mine" /home/rose/notes &&
      test "$(cat /home/rose/noted)" = rose && test "$(stat -c %U /home/rose/noted)" = rose`,
    drift: 'echo weed >> /home/rose/notes; rm /home/rose/noted',
  },
  'a directory and a line in it are made by a user': {
    resource: directory({ path: '/home/rose/bed', mode: '0700', becomeUser: 'rose' }),
    check: 'test "$(stat -c %U:%G:%a /home/rose/bed)" = rose:rose:700',
    drift: 'chmod 755 /home/rose/bed',
  },
  'a line is appended by a user, to a file made for it': {
    resource: line({ path: '/home/rose/bed/list', line: 'thyme', create: true, becomeUser: 'rose' }),
    check: 'grep -qx thyme /home/rose/bed/list && test "$(stat -c %U /home/rose/bed/list)" = rose',
    drift: 'echo weed > /home/rose/bed/list',
  },
  'a large file arrives whole as a user': {
    resource: file({ path: '/home/rose/large', content: 'bramble\n'.repeat(100_000), becomeUser: 'rose' }),
    check:
      'test "$(sort -u /home/rose/large)" = bramble && test "$(stat -c %U:%s /home/rose/large)" = rose:800000',
    drift: 'truncate -s 700000 /home/rose/large',
  },
  'a command is run as a user, at home, with no secret among the processes': {
    resource: command({
      title: 'who am I',
      becomeUser: 'rose',
      run: sh`cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >processes; : ${new Secret('thorn-0815')}
printf '%s\\n' "$(id -un)" "$(id -gn)" "$HOME" "$USER" "$(pwd)" >who
id -Gn | grep -qw gardeners && echo member >>who`,
      creates: '/home/rose/who',
    }),
    check: `test "$(echo $(cat /home/rose/who))" = 'rose rose /home/rose rose /home/rose member' &&
      grep -q 'script=' /home/rose/processes && ! grep -q thorn-0815 /home/rose/processes`,
    drift: 'rm /home/rose/who',
  },
  'a key lets a user in': {
    resource: authorizedKey({ user: 'rose', keys: rose }),
    check: `test "$(stat -c %U:%G:%a /home/rose/.ssh /home/rose/.ssh/authorized_keys)" = 'rose:rose:700
rose:rose:600' && test "$(grep -c '${rose}' /home/rose/.ssh/authorized_keys)" = 1`,
    drift: 'cd /home/rose/.ssh; echo "# weed" > authorized_keys; chmod 644 authorized_keys; chmod 2755 .',
  },
  'all other keys are removed, and options are given': {
    resource: authorizedKey({ user: 'ivy', keys: `restrict,pty ${ivy}`, exclusive: true }),
    prepare: `useradd -m ivy; install -d -o ivy -g ivy -m 700 /home/ivy/.ssh
      printf '%s\\n' '# mine' '${old}' '${ivy}' 'no-pty ${ivy}' > /home/ivy/.ssh/authorized_keys
      chown ivy:ivy /home/ivy/.ssh/authorized_keys; chmod 600 /home/ivy/.ssh/authorized_keys`,
    check: `test "$(cat /home/ivy/.ssh/authorized_keys)" = '# mine
restrict,pty ${ivy}'`,
  },
  'a key is removed': {
    resource: authorizedKey({ user: 'pi', keys: old, state: 'absent' }),
    prepare: `echo 'restrict ${old}' >> /home/pi/.ssh/authorized_keys`,
    check: `! grep -q '${old}' /home/pi/.ssh/authorized_keys && test -s /home/pi/.ssh/authorized_keys`,
  },
  'a command is run by cron, as it was written': {
    resource: cron({
      name: 'case',
      schedule: '@reboot',
      user: 'rose',
      environment: { GREETING: ` it's` },
      command: sh`printf %s ${odder} "$GREETING$(id -un)" >/home/rose/ran`,
    }),
    prepare: 'apt-get install -qq -y --no-install-recommends cron; rm -f /etc/cron.d/case',
    // cron runs what is for @reboot once in a boot, unless this file is gone.
    check: `rm -f /home/rose/ran /run/crond.reboot; systemctl restart cron
      tries=0; until [ -s /home/rose/ran ]; do tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.1; done
      test "$(cat /home/rose/ran)" = '${odder.replaceAll("'", `'\\''`)} it'\\''srose'`,
  },
  'an entry of cron is removed': {
    resource: cron({ name: 'weeds', state: 'absent' }),
    prepare: 'mkdir -p /etc/cron.d; echo "@daily root true" > /etc/cron.d/weeds',
    check: '! test -e /etc/cron.d/weeds',
  },
  'something slow is started': {
    resource: command({
      title: 'start something slow',
      run: sh`rm -f /srv/late; touch /srv/started; systemd-run --quiet --collect sh -c 'sleep 4; touch /srv/late'`,
      creates: '/srv/started',
    }),
    check: 'test -e /srv/started',
    drift: 'rm -f /srv/started /srv/late',
  },
  'something slow is waited for': {
    resource: waitFor({ path: '/srv/late', timeout: 20 }),
    check: 'test -e /srv/late',
    drift: 'rm -f /srv/started /srv/late',
  },
  'kernel parameters are set, now and for the next boot': {
    resource: sysctl({
      settings: { 'net.ipv4.ip_nonlocal_bind': 1, 'net.ipv4.ip_local_port_range': '20000 30000' },
    }),
    check: `test "$(sysctl -n net.ipv4.ip_nonlocal_bind)" = 1 && sysctl -n net.ipv4.ip_local_port_range | grep -q 20000 &&
      grep -q ip_nonlocal_bind /etc/sysctl.d/60-bramble.conf`,
    drift: 'sysctl -qw net.ipv4.ip_nonlocal_bind=0',
  },
  'a port is waited for': {
    resource: waitFor({ port: 22, timeout: 5 }),
    check: 'true',
  },
}

/** Already so from the start: nothing to change, nothing to mend. */
const neverChanged = new Set(['a port is waited for'])
/** Check mode does not guess what is left to do once the unit's file, which drifted too, has been mended. */
const restsOnAnother = new Set(['a service is started, now and at boot'])

describe('modules on a real host', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let host: LightHost
  let project: Project
  const runs: Record<string, Outcome> = {}
  const checks: Record<string, Record<string, boolean>> = {}
  const entries = Object.entries(cases)
  const resources = entries.map(([, { resource }]) => resource)
  const written: Record<string, string> = {}

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1'] })
    host = only(lab)
    project = makeProject({ rpi1: variablesOf(host) })
    await shell(entries.map(([, { prepare = '' }]) => prepare))
    await shell(['touch /run/before'])
    runs['check first'] = await project.apply(resources, { check: true })
    written['check first'] = await writtenSince('/run/before')
    runs['first'] = await project.apply(resources)
    await look('first')
    await shell(['touch /run/before'])
    runs['second'] = await project.apply(resources)
    written['second'] = await writtenSince('/run/before')
    await shell(entries.map(([, { prepare = '', drift = prepare }]) => drift))
    runs['check drift'] = await project.apply(resources, { check: true })
    runs['mend'] = await project.apply(resources)
    await look('mend')
    runs['last'] = await project.apply(resources)
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  for (const [name, { resource }] of entries) {
    it(`${name}, once; and mended after it drifted`, () => {
      const changed = neverChanged.has(name) ? 'ok' : 'changed'
      const reasons = ['first', 'mend'].flatMap((run) => Object.values(runs[run]?.reasons ?? {})).join('\n')
      assert.equal(statusOf(resource.title, 'first'), changed, reasons)
      assert.equal(checks['first']?.[name], true, 'as it should be after the first apply')
      assert.equal(statusOf(resource.title, 'second'), 'ok')
      assert.equal(statusOf(resource.title, 'check drift'), restsOnAnother.has(name) ? 'unknown' : changed)
      assert.equal(statusOf(resource.title, 'mend'), changed, reasons)
      assert.equal(checks['mend']?.[name], true, 'as it should be after the drift was mended')
      assert.equal(statusOf(resource.title, 'last'), 'ok')
    })
  }

  it('check mode promises the changes and makes none', () => {
    const all = entries.filter(([name]) => !neverChanged.has(name)).map(([, { resource }]) => resource.title)
    const run = runs['check first']
    assert.ok(run)
    assert.deepEqual(
      [...run.titles('changed'), ...run.titles('unknown')].toSorted(),
      [...all, 'handler: restart the unit'].toSorted(),
    )
    assert.equal(written['check first'], '')
  })

  it('a clean run takes two round trips at most and writes nothing', () => {
    assert.equal(runs['second']?.changed, false)
    assert.ok((runs['second']?.hosts['rpi1']?.trips ?? 99) <= 2)
    assert.equal(written['second'], '')
  })

  it('no report holds the secret', () => {
    assert.ok(!/thorn-(4711|0815)/.test(JSON.stringify(runs)))
  })

  it('a handler runs when what names it changed, and only then', () => {
    const [first, second, mend, last] = ['first', 'second', 'mend', 'last'].map((run) =>
      statusOf('handler: restart the unit', run),
    )
    assert.deepEqual([first, second, mend, last], ['changed', 'ok', 'changed', 'ok'])
  })

  it('a mirror that is away is an error for package lists, and none for a package that another one has', async () => {
    await shell([
      "echo 'deb [trusted=yes] http://127.0.0.1:9/ ./' >/etc/apt/sources.list.d/away.list",
      'apt-get purge -qq -y hello',
    ])
    const lists = await project.apply([modules.aptLists()])
    assert.match(lists.reasons['rpi1'] ?? '', /package lists: [^]*127\.0\.0\.1:9[^]*Some index files failed/)
    const again = await project.apply([modules.aptLists()])
    assert.ok(again.reasons['rpi1'], 'they are not taken for fetched')
    const hello = await project.apply([apt({ packages: ['hello'] })])
    assert.deepEqual([hello.reasons, hello.changed], [{}, true])
  })

  function statusOf(title: string, run: string) {
    return runs[run]?.tasks.find((task) => task.title === title)?.status
  }

  async function shell(scripts: readonly string[]): Promise<void> {
    await onHost(host, scripts.map((script) => `(${script || ':'}) </dev/null >&2`).join('\n'))
  }

  async function look(when: string): Promise<void> {
    const { stdout } = await onHost(
      host,
      entries.map(([, { check }]) => `(${check}) </dev/null >/dev/null 2>&1; echo $?`).join('\n'),
    )
    const codes = stdout.trim().split('\n')
    checks[when] = Object.fromEntries(entries.map(([name], index) => [name, codes[index] === '0']))
  }

  /** Files written since `mark` was touched, besides those of logins and of the journal. */
  async function writtenSince(mark: string): Promise<string> {
    const ignored =
      '-path /var/log -o -path /run/user -o -path /run/systemd -o -path /proc -o -path /sys -o -path /dev'
    const { stdout } = await onHost(
      host,
      `find / /run \\( ${ignored} \\) -prune -o -newer ${mark} ! -path / ! -path /run ! -path /run/utmp ! -path /tmp ! -path /run/motd.dynamic -print`,
    )
    return stdout
  }
})
