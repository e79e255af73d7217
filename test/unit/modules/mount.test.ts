import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { mount } from '../../../src/modules/mount.ts'
import { run, SHELLS } from './local.ts'
import { table } from './table.ts'

const MOUNTS = 'proc /proc proc rw 0 0\n'
const seen = (mounts: string, fstab: string): string => `${MOUNTS}${mounts}--- fstab\n${fstab}`

const live = (
  shown = 'ro,relatime,vers=4.2,softerr,timeo=20,retrans=2',
  source = 'rpi4:/srv/share',
): string => `${source} /srv/share nfs4 ${shown} 0 0\n`

describe('mount', () => {
  const options = 'ro,softerr,timeo=20,vers=4.2,_netdev,nofail'
  const share = { path: '/srv/share', source: 'rpi4:/srv/share', type: 'nfs', options }
  const make = () => mount(share)
  const gone = () => mount({ ...share, state: 'absent' })
  const entry = `rpi4:/srv/share /srv/share nfs ${options} 0 0\n`
  table([
    { title: 'is content when it is in fstab and mounted', make, seen: seen(live(), entry), expect: 'ok' },
    {
      title: 'does not mind how fstab is spaced',
      make,
      seen: seen(live(), entry.replaceAll(' ', '\t ')),
      expect: 'ok',
    },
    {
      title: 'may have a source that begins with a blank of another kind',
      make: () => mount({ ...share, source: '\u00A0\f', type: 'tmpfs', options: 'nosuid' }),
      seen: seen('\u00A0\f /srv/share tmpfs rw,nosuid 0 0\n', '\u00A0\f /srv/share tmpfs nosuid 0 0\n'),
      expect: 'ok',
    },
    {
      title: 'is written to fstab and mounted',
      make,
      seen: seen('', '# mine\nUUID=1 / ext4 defaults 0 1\n'),
      expect: 'change',
      diff: ` UUID=1 / ext4 defaults 0 1\n+${entry.trim()}`,
      apply: /mv -T[^]*daemon-reload[^]*mkdir -p -- \/srv\/share\nmount -- \/srv\/share$/,
    },
    {
      title: 'is only mounted when fstab has it',
      make,
      seen: seen('', entry),
      expect: 'change',
      diff: /^- \/srv\/share: not mounted\n/,
      apply: /^mkdir -p -- \S+\nmount/,
    },
    {
      title: 'is only written to fstab when it is mounted',
      make,
      seen: seen(live(), ''),
      expect: 'change',
      apply: /daemon-reload$/,
    },
    {
      title: 'takes the place of another line for the same path',
      make,
      seen: seen(live(), `a\nx /srv/share/ ext4 rw\nb\n`),
      expect: 'change',
      diff: `-x /srv/share/ ext4 rw\n+${entry}`,
    },
    {
      title: 'leaves a comment that speaks of it',
      make,
      seen: seen(live(), `#${entry}${entry}`),
      expect: 'ok',
    },
    {
      title: 'is mounted anew when somebody restricted it',
      make,
      seen: seen(live('ro,nosuid,noexec,relatime,vers=4.2,softerr,timeo=20,retrans=2'), entry),
      expect: 'change',
      diff: 'mounted without suid, exec',
    },
    {
      title: 'takes restrictions for granted that others bring with them',
      make: () => mount({ path: '/srv/usb', source: '/dev/sda1', type: 'vfat', options: 'user' }),
      seen: seen(
        '/dev/sda1 /srv/usb vfat rw,nosuid,nodev,noexec 0 0\n',
        '/dev/sda1 /srv/usb vfat user 0 0\n',
      ),
      expect: 'ok',
    },
    {
      title: 'takes the restrictions of FUSE for granted',
      make: () => mount({ path: '/srv/far', source: 'pi@nas:/x', type: 'fuse.sshfs' }),
      seen: seen(
        'pi@nas:/x /srv/far fuse.sshfs rw,nosuid,nodev,relatime 0 0\n',
        'pi@nas:/x /srv/far fuse.sshfs defaults 0 0\n',
      ),
      expect: 'ok',
    },
    {
      title: 'is mounted anew from another source',
      make,
      seen: seen(live(undefined, 'rpi3:/x'), entry),
      expect: 'change',
      diff: 'mounted from rpi3:/x',
      apply: /umount -l -- \/srv\/share\nmkdir/,
    },
    {
      title: 'is mounted anew with other options',
      make,
      seen: seen(live('rw,vers=4.2,hard,timeo=600'), entry),
      expect: 'change',
      diff: 'mounted without ro, softerr, timeo=20',
    },
    {
      title: 'is mounted anew with options that the kernel shows in words of its own, where fstab had others',
      make: () => mount({ path: '/srv/ram', source: 'tmpfs', type: 'tmpfs', options: 'size=128k' }),
      seen: seen('tmpfs /srv/ram tmpfs rw,size=64k 0 0\n', 'tmpfs /srv/ram tmpfs size=64k 0 0\n'),
      expect: 'change',
      diff: '-tmpfs /srv/ram tmpfs size=64k 0 0\n+tmpfs /srv/ram tmpfs size=128k 0 0',
      apply: /^timeout 10 umount [^]*daemon-reload\nmkdir -p -- \/srv\/ram\nmount -- \/srv\/ram$/,
    },
    {
      title:
        'stays mounted when only the order of its options in fstab is another, or what concerns boot alone',
      make,
      seen: seen(
        live(),
        entry.replace(options, 'softerr,ro,timeo=20,vers=4.2,noauto,x-systemd.mount-timeout=5'),
      ),
      expect: 'change',
      diff: `+${entry.trim()}`,
      apply: /^\(path=\/etc\/fstab\n[^]*daemon-reload$/,
    },
    {
      title: 'is mounted anew as another type',
      make,
      seen: seen('rpi4:/srv/share /srv/share ext4 ro,softerr,timeo=20,vers=4.2 0 0\n', entry),
      expect: 'change',
      diff: 'mounted as ext4',
    },
    {
      title: 'looks at what is mounted on top',
      make,
      seen: seen(`${live()}tmpfs /srv/share tmpfs ro 0 0\n`, entry),
      expect: 'change',
      diff: 'mounted from tmpfs',
    },
    {
      title: 'shall be writable unless asked to be read-only',
      make: () => mount({ path: '/data', source: '/dev/sda1', type: 'ext4' }),
      seen: seen('/dev/sda1 /data ext4 ro,relatime 0 0\n', '/dev/sda1 /data ext4 defaults 0 0\n'),
      expect: 'change',
      diff: 'mounted without rw',
    },
    {
      title: 'cannot compare a device with its UUID',
      make: () => mount({ path: '/data', source: 'UUID=1-2', type: 'ext4' }),
      seen: seen('/dev/sda1 /data ext4 rw 0 0\n', 'UUID=1-2 /data ext4 defaults 0 0\n'),
      expect: 'ok',
    },
    {
      title: 'cannot compare what a bind mount shows',
      make: () => mount({ path: '/b', source: '/a', type: 'none', options: 'bind,nofail' }),
      seen: seen('/dev/vda /b ext4 rw 0 0\n', '/a /b none bind,nofail 0 0\n'),
      expect: 'ok',
    },
    {
      title: 'knows from fstab that a bind mount was of something else',
      make: () => mount({ path: '/b', source: '/new', type: 'none', options: 'bind,nofail' }),
      seen: seen('/dev/vda /b ext4 rw 0 0\n', '/a /b none bind,nofail 0 0\n'),
      expect: 'change',
      diff: '+/new /b none bind,nofail 0 0',
      apply: /umount -- \/b[^]*mount -- \/b$/,
    },
    {
      title: 'knows a path with blanks in both tables',
      make: () => mount({ path: '/my share', source: 'tmpfs', type: 'tmpfs' }),
      seen: seen('tmpfs /my\\040share tmpfs rw 0 0\n', 'tmpfs /my\\040share tmpfs defaults 0 0\n'),
      expect: 'ok',
    },
    {
      title: 'is removed from fstab and unmounted',
      make: gone,
      seen: seen(live(), `a\n${entry}`),
      expect: 'change',
      diff: `-${entry.trim()}`,
      apply: /^timeout 10 umount[^]*daemon-reload$/,
    },
    { title: 'is content when it is gone', make: gone, seen: seen('', 'a\n'), expect: 'ok' },
    {
      title: 'does not rewrite an fstab that it cannot read',
      make,
      seen: seen('', '# \uFFFD\n'),
      expect: 'error',
      error: /not UTF-8/,
    },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  it('refuses options with blanks and paths that are not absolute', () => {
    assert.throws(() => mount({ ...share, options: 'ro, soft' }), InputError)
    assert.throws(() => mount({ ...share, path: 'srv' }), InputError)
  })

  for (const shell of SHELLS) {
    it(`sees what is mounted on this machine, with ${shell}`, () => {
      const one = mount({ path: '/proc', source: 'proc', type: 'proc' })
      assert.doesNotMatch(one.plan(run(one.probe, { shell }))?.diff ?? '', /not mounted/)
    })
  }
})
