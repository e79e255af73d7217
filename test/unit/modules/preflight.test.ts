import assert from 'node:assert/strict'
import { TaskError } from '../../../src/errors.ts'
import { networkInterface } from '../../../src/modules/network-interface.ts'
import { preflightAcross, type Told } from '../../../src/modules/preflight-across.ts'
import { preflight } from '../../../src/modules/preflight.ts'
import { routes } from '../../../src/modules/routes.ts'
import { run, SHELLS } from './local.ts'
import { table } from './table.ts'

const good: Record<string, string> = {
  hostname: '/proc/sys/kernel/hostname:rpi1',
  machine: '/etc/machine-id:0123456789abcdef0123456789abcdef',
  controllers: '/sys/fs/cgroup/cgroup.controllers:cpuset cpu io memory pids',
  cgroups: '/proc/cgroups:memory\t0\t80\t1',
  architecture: 'architecture:aarch64',
  clock: 'clock:1795000000',
  systemd: 'systemd:yes',
  cmdline: 'cmdline:/boot/firmware/cmdline.txt',
  lo: '1: lo    inet 127.0.0.1/8 scope host lo',
  eth0: '2: eth0    inet 192.168.188.11/24 brd 192.168.188.255 scope global eth0',
  docker0: '3: docker0    inet 172.17.0.1/16 scope global docker0',
  disk: '/dev/root  30000000 1000000 29000000  4% /',
}

const machine = (changes: Record<string, string> = {}): string =>
  `${Object.values({ ...good, ...changes }).join('\n')}\n`

const rpi1 = () => preflight({ hostname: 'rpi1', address: '192.168.188.11' })

const told = (stdout: string): string => {
  try {
    rpi1().plan({ code: 0, stdout })
    return ''
  } catch (error) {
    assert.ok(error instanceof TaskError)
    return error.details.found ?? ''
  }
}

describe('preflight', () => {
  const cases: { title: string; seen: string; found: RegExp }[] = [
    { title: 'lets a good machine pass', seen: machine(), found: /^$/ },
    {
      title: 'explains a 32-bit system',
      seen: machine({ architecture: 'architecture:armv7l' }),
      found: /^architecture armv7l: install the 64-bit edition/,
    },
    { title: 'asks for systemd', seen: machine({ systemd: '' }), found: /^systemd does not run/ },
    {
      title: 'tells where to turn the memory cgroup on',
      seen: machine({ controllers: '/sys/fs/cgroup/cgroup.controllers:cpuset cpu io pids' }),
      found:
        /^the memory cgroup is off: add `cgroup_enable=memory cgroup_memory=1` to the one line of \/boot\/firmware\/cmdline.txt/,
    },
    {
      title: 'knows the memory cgroup of version 1',
      seen: machine({ controllers: '', cgroups: '/proc/cgroups:memory\t0\t80\t0' }),
      found: /^the memory cgroup is off/,
    },
    {
      title: 'tells of another hostname',
      seen: machine({ hostname: '/proc/sys/kernel/hostname:raspberrypi' }),
      found: /^the hostname is raspberrypi: run `hostnamectl set-hostname rpi1`/,
    },
    {
      title: 'tells of an address that is not there',
      seen: machine({ eth0: '2: eth0    inet 192.168.188.77/24 scope global eth0' }),
      found: /^no interface has 192.168.188.11 \(there is 192.168.188.77 on eth0\)/,
    },
    {
      title: 'tells of a full disk',
      seen: machine({ disk: '/dev/root  30000000 29900000 100000  99% /' }),
      found: /^97 MB are free on \/: make room for 1024 MB/,
    },
    {
      title: 'tells of everything at once',
      seen: machine({ systemd: '', architecture: 'architecture:armv6l' }),
      found: /^architecture armv6l.*\nsystemd does not run/,
    },
  ]
  for (const { title, seen, found } of cases) it(title, () => assert.match(told(seen), found))

  it('tells later plays about the machine', () => {
    const now = Math.round(Date.now() / 1000) + 100
    const facts = rpi1().facts?.({ code: 0, stdout: machine({ clock: `clock:${now}` }) }) ?? {}
    assert.equal(facts['interface'], 'eth0')
    assert.equal(facts['addresses'], '192.168.188.11')
    assert.ok(Math.abs(Number(facts['clock_offset']) - 100) <= 2, String(facts['clock_offset']))
  })

  for (const shell of SHELLS)
    it(`reads a real machine with ${shell}`, () => {
      const { stdout } = run(rpi1().probe, { shell })
      assert.match(stdout, /^architecture:\w+$/m)
      assert.match(stdout, /^clock:\d+$/m)
      assert.match(stdout, /^\/proc\/sys\/kernel\/hostname:\S+$/m)
      assert.match(stdout, /^\S.* \d+% \/$/m)
    })
})

const across = (hosts: Record<string, Told>) => () =>
  preflightAcross({ host: 'rpi1', hosts, vip: { address: '192.168.188.200', holders: ['rpi2'] } })

const why = (make: () => ReturnType<typeof preflightAcross>): string => {
  try {
    make().plan({ code: 0, stdout: '' })
    return ''
  } catch (error) {
    assert.ok(error instanceof TaskError)
    return error.details.found ?? ''
  }
}

describe('networkInterface', () => {
  const eth0 = networkInterface({ address: '192.168.188.11' })

  it('asks what the preflight asks, so that a host is asked once', () =>
    assert.equal(eth0.probe.text, rpi1().probe.text))

  it('tells the interface of an address', () => {
    const seen = { code: 0, stdout: machine() }
    assert.equal(eth0.plan(seen), undefined)
    assert.deepEqual(eth0.facts?.(seen), { interface: 'eth0' })
  })

  table([
    {
      title: 'tells which addresses there are instead',
      make: () => networkInterface({ address: '192.168.188.1' }),
      seen: machine(),
      expect: 'error',
      error: /^TaskError: no interface has 192\.168\.188\.1$/,
    },
  ])
})

describe('preflightAcross', () => {
  const cases: { title: string; hosts: Record<string, Told>; found: RegExp }[] = [
    {
      title: 'lets machines pass that differ',
      hosts: { rpi1: { machine_id: 'a' }, rpi2: { machine_id: 'b' } },
      found: /^$/,
    },
    {
      title: 'finds the clock that is off the others',
      hosts: { rpi1: { clock_offset: '-900' }, rpi2: { clock_offset: '0' }, rpi3: { clock_offset: '1' } },
      found: /^the clock is 900 s behind/,
    },
    {
      title: 'finds it where there is no other',
      hosts: { rpi1: { clock_offset: '45' } },
      found: /^the clock is 45 s ahead of/,
    },
    {
      title: 'finds the one of two that is off this computer’s',
      hosts: { rpi1: { clock_offset: '45' }, rpi2: { clock_offset: '2' } },
      found: /^the clock is 43 s ahead of/,
    },
    {
      title: 'does not blame a machine for the clock of this computer',
      hosts: { rpi1: { clock_offset: '600' }, rpi2: { clock_offset: '601' }, rpi3: { clock_offset: '600' } },
      found: /^$/,
    },
    {
      title: 'finds a cloned card',
      hosts: { rpi1: { machine_id: 'a' }, rpi2: { machine_id: 'a' } },
      found: /^rpi2 has the same machine-id/,
    },
    {
      title: 'finds an address that two machines have',
      hosts: { rpi1: { addresses: '192.168.188.11' }, rpi3: { addresses: '10.0.0.1 192.168.188.11' } },
      found: /^rpi3 has the address 192.168.188.11 too/,
    },
    {
      title: 'finds the virtual address where it does not belong',
      hosts: { rpi1: { addresses: '192.168.188.11 192.168.188.200' } },
      found: /^it holds the virtual address/,
    },
  ]
  for (const { title, hosts, found } of cases) it(title, () => assert.match(why(across(hosts)), found))
})

const toPeer = () => routes({ from: '10.0.0.1', peers: ['10.0.0.2'], ports: [22, 2377] })

describe('routes', () => {
  table([
    { title: 'are not asked of a member of a swarm', make: toPeer, seen: 'member\n', expect: 'ok' },
    {
      title: 'are there when a connection is accepted or refused',
      make: toPeer,
      seen: '/dev/tcp/10.0.0.2/22: open\nroutes: line 2: /dev/tcp/10.0.0.2/2377: Connection refused\n',
      expect: 'ok',
    },
    {
      title: 'are not there when nothing answers',
      make: toPeer,
      seen: '',
      expect: 'error',
      error: /cannot be reached/,
    },
  ])

  it('tells from where to where', () => {
    const stdout = '/dev/tcp/10.0.0.2/22: open\nroutes: line 2: /dev/tcp/10.0.0.2/2377: No route to host\n'
    assert.throws(
      () => toPeer().plan({ code: 0, stdout }),
      (error: TaskError) => /^10.0.0.1 → 10.0.0.2:2377: No route to host/.test(error.details.found ?? ''),
    )
  })
})
