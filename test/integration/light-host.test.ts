import assert from 'node:assert/strict'
import { onHost, only, startLightHosts, type LightHosts } from '../light-host.ts'

describe('a light host', function () {
  this.timeout(600_000)
  let hosts: LightHosts

  before(async () => (hosts = await startLightHosts({ names: ['rpi1'] })))
  after(() => hosts?.stop())

  // It shares the kernel. `timedatectl set-timezone` alone warps the clock of a kernel that has no time zone yet.
  it('cannot set the clock of the computer that runs the tests', async () => {
    const { code, stderr } = await onHost(only(hosts), 'date -s "@$(date +%s)"')
    assert.notEqual(code, 0)
    assert.match(stderr, /cannot set date: Operation not permitted/)
  })
})
