import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { nfsExport } from '../../../src/modules/export.ts'
import { run, SHELLS } from './local.ts'
import { table } from './table.ts'

const etab = (address: string, options: string): string =>
  `/srv/share\t${address}(${options},wdelay,hide,nocrossmnt,secure,no_all_squash,sec=sys)\n`
const seen = (live: string, file: string): string => `${live}---\n${file}---\n`

describe('nfsExport', () => {
  const options = 'ro,no_subtree_check,fsid=1'
  const clients = [
    { address: '192.168.188.11', options },
    { address: '192.168.188.0/24', options },
  ]
  const make = () => nfsExport({ path: '/srv/share', clients })
  const entry = `/srv/share 192.168.188.11(${options}) 192.168.188.0/24(${options})\n`
  const live = etab('192.168.188.11', options) + etab('192.168.188.0/24', options)
  table([
    { title: 'is content when file and server have it', make, seen: seen(live, entry), expect: 'ok' },
    {
      title: 'is written and exported',
      make,
      seen: seen('', ''),
      expect: 'change',
      diff: `+${entry.trim()}`,
      apply: /mkdir -p -- \/etc\/exports\.d[^]*exportfs -ra$/,
    },
    {
      title: 'leaves other exports of the file',
      make,
      seen: seen(live, '/other *(ro)\n'),
      expect: 'change',
      diff: ` /other *(ro)\n+${entry.trim()}`,
    },
    {
      title: 'leaves what follows a line of dashes',
      make,
      seen: seen(live, '# mine ---\n/other *(ro)\n'),
      expect: 'change',
      diff: ` # mine ---\n /other *(ro)\n+${entry.trim()}`,
    },
    {
      title: 'keeps a blank that is more than one byte as it is',
      make: () => nfsExport({ path: '/srv/a\u00A0\u3000b', clients }),
      seen: seen('', '/srv/a\u00A0c *(ro)\n'),
      expect: 'change',
      diff: ' /srv/a\u00A0c *(ro)\n+/srv/a\u00A0\u3000b 192',
    },
    {
      title: 'does not write bytes anew that are no text',
      make,
      seen: seen(live, '# \uFFFD\n'),
      expect: 'error',
      error: /bramble\.exports is not UTF-8 text/,
    },
    {
      title: 'takes the place of its old line',
      make,
      seen: seen(live, '/srv/share *(rw)\n'),
      expect: 'change',
      diff: `-/srv/share *(rw)\n+${entry.trim()}`,
    },
    {
      title: 'is exported anew when the server forgot it',
      make,
      seen: seen('', entry),
      expect: 'change',
      diff: 'not exported to 192.168.188.11',
      apply: /^exportfs -ra$/,
    },
    {
      title: 'is exported anew with other options',
      make,
      seen: seen(live.replace('ro,', 'rw,'), entry),
      expect: 'change',
      diff: 'without ro',
    },
    {
      title: 'is taken from clients that shall not have it',
      make,
      seen: seen(live + etab('*', 'rw'), entry),
      expect: 'change',
      diff: 'exported to * too',
    },
    {
      title: 'does not mind what else is exported',
      make,
      seen: seen(`/other\t*(rw)\n${live}`, entry),
      expect: 'ok',
    },
    {
      title: 'does not compare names, which DNS may give back otherwise',
      make: () => nfsExport({ path: '/srv/share', clients: [{ address: 'rpi1', options: 'ro' }] }),
      seen: seen(etab('rpi1.lan', 'ro'), '/srv/share rpi1(ro)\n'),
      expect: 'ok',
    },
    { title: 'says so when it cannot look', make, seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  it('refuses an export to nobody, and addresses that are none', () => {
    assert.throws(() => nfsExport({ path: '/srv', clients: [] }), InputError)
    assert.throws(() => nfsExport({ path: '/srv', clients: [{ address: 'a b', options: 'ro' }] }), InputError)
    assert.throws(() => nfsExport({ path: '/srv', clients: [{ address: '*', options: 'ro)' }] }), InputError)
  })

  for (const shell of SHELLS) {
    it(`can look on a machine that has no server yet, with ${shell}`, () => {
      const one = nfsExport({ path: '/srv/share', clients, file: '/nonexistent/bramble.exports' })
      assert.ok(one.plan(run(one.probe, { shell })))
    })
  }
})
