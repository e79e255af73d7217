import assert from 'node:assert/strict'
import { missing, shapeOf } from '../../../src/drill/health.ts'
import { ConnectionError } from '../../../src/errors.ts'
import type { Inventory } from '../../../src/inventory/index.ts'
import { laboratory, statusWith } from '../status/cluster.ts'

describe('a cluster after a drill', () => {
  let inventory: Inventory
  before(async () => {
    inventory = await laboratory()
  })
  const whole = () => shapeOf(statusWith(inventory))

  it('is whole when every part of it does what it did before', () => {
    assert.deepEqual(missing(whole(), statusWith(inventory)), [])
  })

  it('is made of its virtual IP, nodes, services and load balancers', () => {
    assert.deepEqual(whole(), {
      'virtual IP': 'rpi1',
      rpi1: 'manager, active, ready, share',
      rpi2: 'manager, active, ready, share',
      rpi3: 'manager, active, ready, share',
      'service haproxy': '2 of 2',
      'service keepalived': '2 of 2',
      'service nginx': '3 of 3',
      'HAProxy of rpi1': 'rpi1 up, rpi2 up, rpi3 up',
      'HAProxy of rpi2': 'rpi1 up, rpi2 up, rpi3 up',
    })
  })

  it('is not whole while another holds the virtual IP, well as all may be', () => {
    const line = '2: eth0    inet 10.77.0.200/32 scope global eth0\n'
    const moved = statusWith(inventory, {
      rpi1: (text) => text.replace(/^.* inet 10\.77\.0\.200.*\n/m, ''),
      rpi2: (text) => text.replace('mounted\n', `${line}mounted\n`),
    })
    assert.deepEqual(moved.problems, [])
    assert.deepEqual(missing(whole(), moved), ['virtual IP: rpi2 (was: rpi1)'])
  })

  it('is not whole while a host does not answer: what it did is told, and the problem', () => {
    const away = new ConnectionError('cannot be reached', { host: 'rpi3' })
    const lines = missing(whole(), statusWith(inventory, { rpi3: away }))
    assert.deepEqual(lines, [
      'rpi3: manager, active, ready (was: manager, active, ready, share)',
      'rpi3: cannot be reached',
    ])
  })

  it('is not whole while a web server is down for a load balancer', () => {
    const lines = missing(
      whole(),
      statusWith(inventory, { rpi2: (text) => text.replace(/^(web,rpi3,.*?,)UP,/m, '$1DOWN,') }),
    )
    assert.equal(lines[0], 'HAProxy of rpi2: rpi1 up, rpi2 up, rpi3 down (was: rpi1 up, rpi2 up, rpi3 up)')
  })
})
