import assert from 'node:assert/strict'
import { apt, service } from '../../src/modules/index.ts'
import type { Resource, Seen } from '../../src/playbook/resource.ts'
import { onHost, only, startLightHosts } from '../light-host.ts'
import type { LightHosts } from '../light-host.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'

/** A state of the host in which what a cheap probe reads could look well, though it is not. */
interface Case {
  resource: Resource
  /** Shell, run as root, that brings it about. */
  spoil: string
  /** What the difference that is shown has to say. */
  found: RegExp
}

const unit = (type: string) =>
  `printf '[Service]\\nType=${type}\\nTimeoutStartSec=infinity\\n` +
  `ExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n'`

const ssh = service({ name: 'ssh', enabled: true, state: 'started' })
const thorn = service({ name: 'thorn', enabled: true, state: 'started' })
const reread = /files changed since they were read/
const file = '/etc/systemd/system/thorn.service'

const cases: Record<string, Case> = {
  'a unit that was masked while it runs': {
    resource: ssh,
    spoil: 'systemctl mask ssh',
    found: /- ssh\.service: masked/,
  },
  'a unit that another file of its name masks': {
    resource: ssh,
    spoil: 'systemctl unmask ssh; : >/etc/systemd/system/ssh.service; systemctl daemon-reload',
    found: /- ssh\.service: masked/,
  },
  'a unit whose file another one took the place of': {
    resource: ssh,
    spoil: `rm /etc/systemd/system/ssh.service; systemctl daemon-reload
cp /lib/systemd/system/ssh.service /etc/systemd/system/`,
    found: reread,
  },
  'a unit that was disabled while it runs': {
    resource: ssh,
    spoil: 'rm /etc/systemd/system/ssh.service; systemctl daemon-reload; systemctl disable ssh',
    found: /- ssh\.service: disabled/,
  },
  'a unit that starts without end': {
    resource: thorn,
    spoil: `${unit('notify')} >${file}; systemctl daemon-reload; systemctl enable thorn; systemctl start --no-block thorn`,
    found: /- thorn\.service: activating/,
  },
  'a unit that stops without end': {
    resource: thorn,
    spoil: `systemctl stop thorn; ${unit('simple')} >${file}
sed -i '/ExecStart=/a TimeoutStopSec=infinity\\nExecStop=/bin/sleep infinity' ${file}
systemctl daemon-reload; systemctl start thorn; systemctl stop --no-block thorn`,
    found: /- thorn\.service: deactivating/,
  },
  'a unit that failed and left a process': {
    resource: thorn,
    spoil: `systemctl kill -s KILL thorn; ${unit('oneshot')} >${file}
sed -i 's/^ExecStart=.*/KillMode=none\\nExecStart=\\/bin\\/sh -c "sleep 1000 \\& exit 1"/' ${file}
systemctl daemon-reload; systemctl start thorn`,
    found: /- thorn\.service: failed/,
  },
  'a unit that ended well and is not active any more': {
    resource: thorn,
    spoil: `${unit('oneshot')} >${file}; sed -i 's/^ExecStart=.*/ExecStart=true/' ${file}
systemctl daemon-reload; systemctl restart thorn`,
    found: /- thorn\.service: inactive/,
  },
  'a unit whose file changed': {
    resource: thorn,
    spoil: `${unit('simple')} >${file}; systemctl daemon-reload; systemctl restart thorn; echo '# weed' >>${file}`,
    found: reread,
  },
  'a unit that got a drop-in': {
    resource: thorn,
    spoil: `systemctl daemon-reload; mkdir -p ${file}.d; echo '[Unit]' >${file}.d/weed.conf`,
    found: reread,
  },
  'a unit that lost a drop-in': {
    resource: thorn,
    spoil: `systemctl daemon-reload; systemctl restart thorn; rm ${file}.d/weed.conf`,
    found: reread,
  },
  'a unit that lost its file': {
    resource: thorn,
    spoil: `systemctl daemon-reload; systemctl restart thorn; mv ${file} /root/`,
    found: reread,
  },
  'a unit that runs without a file': {
    resource: thorn,
    spoil: `systemctl daemon-reload`,
    found: /unit not found/,
  },
  'a package that is set up by half': {
    resource: apt({ packages: ['hello'] }),
    spoil: `cd /root; apt-get -qq download hello; dpkg --unpack hello_*.deb`,
    found: /- hello .* \(unpacked\)/,
  },
}

describe('probes that read what daemons leave behind', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let project: Project
  const seen: Record<string, Seen> = {}

  before(async () => {
    lab = await startLightHosts({ names: ['rpi1'] })
    project = makeProject({ rpi1: variablesOf(only(lab)) })
    const script = Object.values(cases)
      .map(
        ({ spoil, resource }) =>
          `(${spoil}\n) </dev/null >/dev/null 2>&1; (${resource.probe.text}\n); echo "$?="`,
      )
      .join('\n')
    const { stdout } = await onHost(only(lab), script)
    const answers = stdout.split(/^(\d+)=\n/m)
    Object.keys(cases).forEach((title, index) => {
      seen[title] = { stdout: answers[index * 2] ?? '', code: Number(answers[index * 2 + 1]) }
    })
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  for (const [title, { resource, found }] of Object.entries(cases)) {
    it(`are not taken in by ${title}`, () => {
      const answer = seen[title]
      assert(answer)
      assert.match(resource.plan(answer)?.diff ?? 'nothing to change', found)
    })
  }

  it('do not take a file from the future for one that is still to be read', async () => {
    const { stdout, code } = await onHost(
      only(lab),
      `touch -d tomorrow /etc/systemd/system/ssh.service\nsystemctl daemon-reload\n(${ssh.probe.text}\n)`,
    )
    assert.equal(ssh.plan({ code, stdout })?.diff.includes('since they were read') ?? false, false, stdout)
  })

  it('ask in one trip, and systemd for no more than who is active, when all is well', async () => {
    await onHost(
      only(lab),
      `rm /etc/systemd/system/ssh.service; systemctl daemon-reload; systemctl enable ssh; systemctl restart ssh
printf '#!/bin/sh\necho "$1" >>/run/asked; exec /bin/systemctl "$@"\n' >/usr/local/sbin/systemctl
chmod +x /usr/local/sbin/systemctl`,
    )
    const { tasks, hosts } = await project.apply([ssh, apt({ packages: ['sudo', 'openssh-server'] })])
    assert.deepEqual([tasks.map(({ status }) => status), hosts['rpi1']?.trips], [['ok', 'ok'], 1])
    assert.equal((await onHost(only(lab), 'cat /run/asked')).stdout, 'is-active\n')
  })
})
