import {
  absent,
  apt,
  block,
  command,
  directory,
  file,
  group,
  line,
  link,
  mount,
  play,
  playbook,
  service,
  sh,
  sysctl,
  template,
  user,
} from 'bramble'

const unit = `[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`
const restart = { title: 'restart thorn', apply: sh`systemctl daemon-reload; systemctl restart thorn` }

/** Something of every module that a light host, which has neither kernel modules nor exports, can do: what drift.test.ts disturbs, and what is to be mended. */
export default playbook({
  name: 'drift',
  plays: [
    play({
      name: 'drift',
      hosts: 'all',
      *tasks(host) {
        yield apt({ packages: ['hello'] })
        yield group({ name: 'gardeners', gid: 4321 })
        yield user({ name: 'rose', uid: 4001, groups: ['gardeners'], shell: '/bin/bash' })
        yield directory({ path: '/srv/drift', owner: 'rose', group: 'www-data', mode: '2775' })
        yield file({ path: '/srv/drift/text', content: 'one\ntwo\nthree\n', owner: 'rose' })
        yield file({ path: '/srv/drift/bytes', content: Uint8Array.from([0, 1, 254, 255]), mode: '0600' })
        yield template({
          path: '/etc/cron.d/drift',
          source: { name: 'cron.ejs', text: '0 4 * * * root echo <%= name %>\n' },
          variables: { name: host.name },
        })
        yield line({ path: '/srv/drift/settings', match: '^#?Port', line: 'Port 2222', create: true })
        yield block({ path: '/etc/hosts', block: '10.77.0.11 rose\n10.77.0.12 ivy' })
        yield link({ path: '/srv/drift/link', target: 'text' })
        yield absent({ path: '/srv/drift/weed' })
        yield sysctl({ settings: { 'net.ipv4.ip_nonlocal_bind': 1, 'net.ipv4.conf.all.log_martians': 1 } })
        yield mount({ path: '/mnt/drift', source: 'tmpfs', type: 'tmpfs', options: 'size=64k,noexec,nosuid' })
        yield file({ path: '/etc/systemd/system/thorn.service', content: unit, notify: restart })
        yield service({ name: 'thorn', enabled: true, state: 'started' })
        yield service({ name: 'ivy', enabled: true, state: 'started' })
        yield service({ name: 'moss.timer', enabled: false, state: 'stopped' })
        yield command({ title: 'a first page', run: sh`echo It works >/srv/page`, creates: '/srv/page' })
      },
    }),
  ],
})
