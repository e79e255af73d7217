import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { service } from '../../../src/modules/service.ts'
import { bundle } from '../../../src/playbook/batch.ts'
import { table } from './table.ts'

const show = (load: string, active: string, file: string, reload = 'no'): string =>
  `LoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\nNeedDaemonReload=${reload}\n`

const make = () => service({ name: 'docker', enabled: true, state: 'started' })
const off = () => service({ name: 'docker', enabled: false, state: 'stopped' })

describe('service', () => {
  table([
    {
      title: 'is content when it runs and starts at boot',
      make,
      seen: show('loaded', 'active', 'enabled'),
      expect: 'ok',
    },
    {
      title: 'is started',
      make,
      seen: show('loaded', 'inactive', 'enabled'),
      expect: 'change',
      diff: '- docker.service: inactive\n+ docker.service: active',
      apply: /^systemctl start -- docker\.service/,
    },
    {
      title: 'is started again when it failed',
      make,
      seen: show('loaded', 'failed', 'enabled'),
      expect: 'change',
      apply: 'systemctl start',
    },
    {
      title: 'does not count as running while it starts over and over',
      make,
      seen: show('loaded', 'activating', 'enabled'),
      expect: 'change',
    },
    {
      title: 'is enabled',
      make,
      seen: show('loaded', 'active', 'disabled'),
      expect: 'change',
      apply: /^systemctl enable -- docker\.service$/,
    },
    {
      title: 'is enabled for good, not until the next boot',
      make,
      seen: show('loaded', 'active', 'enabled-runtime'),
      expect: 'change',
      apply: 'enable',
    },
    { title: 'cannot be more than static', make, seen: show('loaded', 'active', 'static'), expect: 'ok' },
    {
      title: 'is unmasked',
      make,
      seen: show('masked', 'inactive', 'masked'),
      expect: 'change',
      apply: /unmask[^]*enable[^]*start/,
    },
    {
      title: 'is unmasked until the next boot, too',
      make,
      seen: show('masked', 'active', 'masked-runtime'),
      expect: 'change',
      apply: /unmask --runtime -- docker\.service/,
    },
    {
      title: 'is promised when its package is not there yet',
      make,
      seen: show('not-found', 'inactive', ''),
      expect: 'change',
      diff: '- docker.service: unit not found',
    },
    {
      title: 'is read anew when its files changed',
      make,
      seen: show('loaded', 'active', 'enabled', 'yes'),
      expect: 'change',
      apply: /^systemctl daemon-reload$/,
    },
    {
      title: 'is read anew when its files are newer than what systemd read, which systemd may not notice',
      make,
      seen: `${show('loaded', 'active', 'enabled')}\nUnread= ssh.service docker.service \n`,
      expect: 'change',
      apply: /^systemctl daemon-reload$/,
    },
    {
      title: 'is content when those of another unit are',
      make,
      seen: `${show('loaded', 'active', 'enabled')}\nUnread= my-docker.service \n`,
      expect: 'ok',
    },
    {
      title: 'is stopped and disabled',
      make: off,
      seen: show('loaded', 'active', 'enabled'),
      expect: 'change',
      apply: /disable[^]*stop/,
    },
    {
      title: 'is content when it is off',
      make: off,
      seen: show('loaded', 'inactive', 'disabled'),
      expect: 'ok',
    },
    {
      title: 'is off when there is no such unit',
      make: off,
      seen: show('not-found', 'inactive', ''),
      expect: 'ok',
    },
    {
      title: 'leaves alone what it was not asked for',
      make: () => service({ name: 'docker', state: 'started' }),
      seen: show('loaded', 'active', 'disabled'),
      expect: 'ok',
    },
    {
      title: 'says so when systemd does not answer',
      make,
      seen: { code: 1, stdout: '' },
      expect: 'error',
      error: /could not look/,
    },
  ])

  it('knows units of other kinds by their names', () => {
    assert.match(service({ name: 'docker.socket' }).probe.text, /-- docker\.socket \|\| exit$/m)
    assert.match(service({ name: 'getty@tty1' }).probe.text, /-- getty@tty1\.service \|\| exit$/m)
  })

  it('refuses what is no unit', () => assert.throws(() => service({ name: '--now' }), InputError))

  it('asks systemd once for all units of a host', () => {
    const together = bundle([make().probe, service({ name: 'nfs-server' }).probe])
    assert.equal(together.commands.length, 1)
    const stdout = `${show('loaded', 'active', 'enabled')}\n${show('masked', 'inactive', 'masked')}`
    assert.match(together.read([{ code: 0, stdout }])[1]?.stdout ?? '', /^LoadState=masked/)
    const [seen] = together.read([{ code: 0, stdout: `${stdout}\nUnread= docker.service \n` }])
    assert.match(make().plan(seen ?? { code: 1, stdout: '' })?.diff ?? '', /changed since they were read/)
  })
})
