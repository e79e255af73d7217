import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { sysctl } from '../../../src/modules/sysctl.ts'
import { run, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

describe('sysctl', () => {
  const settings = { 'net.ipv4.ip_nonlocal_bind': 1, 'net.ipv4.ip_local_port_range': '32768 60999' }
  const make = () => sysctl({ settings })
  const proc = '/proc/sys/net/ipv4'
  const conf = '/etc/sysctl.d/60-bramble.conf'
  const live = (bind: number) =>
    `${proc}/ip_nonlocal_bind:${bind}\n${proc}/ip_local_port_range:32768\t60999\n`
  const file = `${conf}:net.ipv4.ip_nonlocal_bind = 1\n${conf}:net.ipv4.ip_local_port_range = 32768 60999\n`
  table([
    {
      title: 'is content when file and kernel have it',
      make,
      seen: live(1) + file,
      expect: 'ok',
    },
    {
      title: 'sets only what differs',
      make,
      seen: live(0) + file,
      expect: 'change',
      diff: /^- net\.ipv4\.ip_nonlocal_bind = 0\n\+ net\.ipv4\.ip_nonlocal_bind = 1$/,
      apply: /^printf '%s\\n' 1 >\/proc\/sys\/net\/ipv4\/ip_nonlocal_bind/,
    },
    {
      title: 'writes the file when only the kernel has it',
      make,
      seen: live(1),
      expect: 'change',
      diff: `--- /dev/null\n+++ ${conf}\n@@ -0,0 +1,2 @@\n+net.ipv4.ip_nonlocal_bind = 1\n`,
      apply: '/etc/sysctl.d/60-bramble.conf',
    },
    {
      title: 'promises a parameter that is not there yet',
      make,
      seen: `${proc}/ip_local_port_range:32768\t60999\n${file}`,
      expect: 'change',
      diff: '(not there)',
    },
    {
      title: 'knows an interface with a dot in its name',
      make: () => sysctl({ settings: { 'net/ipv4/conf/eth0.100/rp_filter': 2 } }),
      seen: `/proc/sys/net/ipv4/conf/eth0.100/rp_filter:0\n${conf}:net/ipv4/conf/eth0.100/rp_filter = 2\n`,
      expect: 'change',
      apply: '>/proc/sys/net/ipv4/conf/eth0.100/rp_filter',
    },
    {
      title: 'keeps for the next boot only what the kernel took',
      make,
      seen: '0\n0\n',
      expect: 'change',
      apply: /^printf[^]*ip_local_port_range[^]*mv -T/,
    },
    { title: 'says so when it cannot look', make, seen: { code: 2, stdout: '' }, expect: 'error' },
  ])

  it('refuses what no file of the kernel can be told', () => {
    const bad = [
      { settings: { a: 'b\0c' } },
      { settings: { a: '\uD800' } },
      { settings: {}, file: '/etc/a\nb' },
    ]
    for (const options of bad) assert.throws(() => sysctl(options), InputError)
  })

  it('refuses what is no parameter, or more than a line', () => {
    assert.throws(() => sysctl({ settings: { '../x': 1 } }), InputError)
    assert.throws(() => sysctl({ settings: { 'a.b': '1\n2' } }), InputError)
  })

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()

      it('reads what the kernel has, and misses what it has not', () => {
        const live = readFileSync('/proc/sys/kernel/ostype', 'utf8').trim()
        const one = sysctl({
          settings: { 'kernel.ostype': live, 'kernel.no_such_thing': 1 },
          file: join(directory.path, "it's -x"),
        })
        const seen = run(one.probe, { shell })
        assert.equal(seen.stdout, `/proc/sys/kernel/ostype:${live}\n`)
        assert.match(one.plan(seen)?.diff ?? '', /^- kernel\.no_such_thing = \(not there\)/)
      })
    })
  }
})
