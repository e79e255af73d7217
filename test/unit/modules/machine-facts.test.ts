import assert from 'node:assert/strict'
import { machineFacts } from '../../../src/modules/machine-facts.ts'
import { run, SHELLS } from './local.ts'

const pi = `hostname:rpi1
model:Raspberry Pi 4 Model B Rev 1.4
os:Debian GNU/Linux 12 (bookworm)
kernel:6.1.0-rpi7-rpi-v8
architecture:aarch64
processors:4
memory_kb:3884360
disk_free_kb:27262976
millidegrees:48199
uptime:86412.52 300000.11
docker:20.10.24+dfsg1-1
clock:1795000042
address:lo 127.0.0.1
address:eth0 192.168.188.11
address:eth0 192.168.188.200
`

describe('the facts of a machine', () => {
  it('are told in units that people use, without the loopback', () => {
    const facts = machineFacts().facts?.({ code: 0, stdout: pi, answered: 1_795_000_000_000 })
    assert.deepEqual(facts, {
      hostname: 'rpi1',
      model: 'Raspberry Pi 4 Model B Rev 1.4',
      os: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0-rpi7-rpi-v8',
      architecture: 'aarch64',
      processors: '4',
      memory_mb: '3793',
      disk_free_mb: '26624',
      temperature_c: '48.2',
      uptime_s: '86412',
      docker: '20.10.24+dfsg1-1',
      clock_offset: '42',
      addresses: 'eth0 192.168.188.11, eth0 192.168.188.200',
    })
  })

  it('change nothing', () => assert.equal(machineFacts().plan({ code: 0, stdout: '' }), undefined))

  for (const shell of SHELLS) {
    it(`are read from a real machine with ${shell}`, () => {
      const seen = run(machineFacts().probe, { shell })
      const facts = machineFacts().facts?.(seen) ?? {}
      assert.equal(seen.code, 0)
      for (const name of [
        'kernel',
        'os',
        'processors',
        'memory_mb',
        'disk_free_mb',
        'uptime_s',
        'architecture',
      ]) {
        assert.ok(facts[name], `${name} in ${seen.stdout}`)
      }
      assert.match(String(facts['memory_mb']), /^\d+$/)
      assert.ok(Math.abs(Number(facts['clock_offset'])) <= 2)
    })
  }
})
