import assert from 'node:assert/strict'
import type { Inventory } from '../../../src/inventory/index.ts'
import { readStatistics } from '../../../src/status/haproxy.ts'
import type { Machine } from '../../../src/status/machine.ts'
import { readTold, type Told } from '../../../src/status/told.ts'
import { laboratory, NOW, printed, statusWith, type When } from './cluster.ts'

describe('what a host tells', () => {
  let inventory: Inventory
  before(async () => {
    inventory = await laboratory()
  })

  function told(name: string, when: When = 'well', edit: (text: string) => string = String): Told {
    const [host] = inventory.match(name)
    assert.ok(host)
    return readTold(inventory, host, { code: 0, stdout: edit(printed(name, when)), answered: NOW })
  }

  function errorOf(edit?: (text: string) => string): string {
    const { haproxy } = told('rpi2', 'quorum', edit)
    return haproxy && 'error' in haproxy ? haproxy.error : ''
  }

  function shareOf(text: string): Machine['share'] {
    return told('rpi1', 'well', (all) => all.replace('mounted\nanswers\n', text)).machine.share
  }

  function contentOf(text: string): Machine['content'] {
    return told('rpi3', 'well', (all) => all.replace(/(content .*\n)+/, text)).machine.content
  }

  it('is read from one answer', () => {
    const { machine, daemon, membership, certificate, swarm, haproxy } = told('rpi3')
    const { share, content, ...rest } = machine
    assert.deepEqual(rest, {
      load: 8.71,
      temperature_c: null,
      uptime_s: 7380.25,
      clock: 1_795_546_903,
      disk_free_mb: 11_594,
      os: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.18.44-fc-v782',
      vip: null,
    })
    assert.equal(told('rpi1').machine.vip, 'eth0')
    assert.equal(daemon, 'answers')
    assert.deepEqual([membership?.NodeID, membership?.ControlAvailable], ['vzn1ciqtlltlau55w34a11tli', true])
    assert.deepEqual(certificate, { from: '2026-11-24T18:00:00.000Z', until: '2027-02-22T19:00:00.000Z' })
    assert.ok(swarm && 'nodes' in swarm)
    assert.deepEqual([swarm.nodes.length, swarm.services.length], [3, 3])
    assert.deepEqual(share, { path: '/srv/bramble/share', mounted: true, answers: true, error: null })
    assert.deepEqual(content, {
      source: 'nfs',
      since: '2026-11-24T18:51:32.000Z',
      reason: null,
      error: null,
      refreshed: '2026-11-24T19:01:12.000Z',
      bytes: 14_200_000,
      files: 321,
    })
    assert.equal(haproxy, undefined, 'it is no load balancer')
  })

  it('is what HAProxy says of each server', () => {
    const { haproxy } = told('rpi1', 'quorum')
    assert.ok(haproxy && 'servers' in haproxy)
    assert.deepEqual(haproxy.servers, [
      { name: 'rpi1', up: true, status: 'UP', since: '2026-11-24T19:00:19.000Z', check: 'L7OK' },
      {
        name: 'rpi2',
        up: false,
        status: 'DOWN',
        since: '2026-11-24T19:00:33.000Z',
        check: 'L4CON: Connection refused',
      },
      {
        name: 'rpi3',
        up: false,
        status: 'DOWN',
        since: '2026-11-24T19:00:36.000Z',
        check: 'L4CON: Connection refused',
      },
    ])
  })

  it('is also that HAProxy is not there, has no statistics, or hangs', () => {
    assert.match(errorOf(), /^Failed to connect to 127\.0\.0\.1 port 8405/)
    const old = 'curl: (22) The requested URL returned error: 503\n'
    assert.match(
      errorOf((text) => text.replace(/curl: .*\n\n--- haproxy 7/, `${old}\n--- haproxy 22`)) ?? '',
      /no statistics/,
    )
    const other = errorOf((text) => text.replace(/curl: .*\n\n--- haproxy 7/, '<html>\n\n--- haproxy 0'))
    assert.match(other ?? '', /no statistics/)
  })

  it('is that Docker is off, hangs, or has no swarm that works', () => {
    const off = told('rpi2', 'quorum')
    assert.deepEqual([off.daemon, off.membership, off.certificate], ['off', undefined, null])
    const hangs = told('rpi2', 'quorum', (text) => text.replace('--- docker 7', '--- docker 28'))
    assert.equal(hangs.daemon, 'hangs')
    const lost = told('rpi1', 'quorum')
    assert.equal(lost.daemon, 'answers')
    assert.ok(lost.swarm && 'error' in lost.swarm)
    assert.match(lost.swarm.error, /The swarm does not have a leader/)
  })

  it('is that the swarm answers too late', () => {
    const { daemon, swarm } = told('rpi1', 'well', (text) =>
      text.replace(/^OK\n[^]*\n--- docker 0/m, 'OK\n\n--- docker 28'),
    )
    assert.deepEqual([daemon, swarm], ['answers', { error: 'it does not answer in time' }])
  })

  it('is a share that hangs, fails, or is not mounted', () => {
    const path = '/srv/bramble/share'
    const mounted = 'mounted\n'
    assert.deepEqual(shareOf(mounted), { path, mounted: true, answers: false, error: null })
    const stale = `fails stat: cannot read file system information for '${path}': Stale file handle\n`
    assert.deepEqual(shareOf(mounted + stale), {
      path,
      mounted: true,
      answers: false,
      error: 'Stale file handle',
    })
    assert.deepEqual(shareOf(''), { path, mounted: false, answers: false, error: null })
  })

  it('is no content where the file of the mirror makes no sense', () => {
    assert.equal(contentOf(''), null)
    assert.equal(contentOf('content roses\n'), null)
    const away = contentOf(
      'content source=mirror\ncontent reason=the share does not answer\ncontent error=no room\n',
    )
    assert.deepEqual([away?.reason, away?.error], ['the share does not answer', 'no room'])
    const odd = contentOf(
      'content source=mirror\ncontent since=soon\ncontent refreshed=99999999999999999\ncontent bytes=-1\n',
    )
    assert.deepEqual(odd, {
      source: 'mirror',
      since: null,
      reason: null,
      error: null,
      refreshed: null,
      bytes: null,
      files: null,
    })
  })

  it('may be nothing at all', () => {
    const { machine, daemon, swarm, haproxy } = told('rpi1', 'well', () => '')
    assert.deepEqual([machine.os, machine.load, machine.content, daemon], [null, null, null, 'off'])
    assert.deepEqual([swarm, haproxy], [{ error: 'Docker tells nothing of it' }, { error: 'no answer' }])
    assert.equal(statusWith(inventory, { rpi1: () => '' }).nodes[0]?.load, null)
  })
})

describe('the statistics of HAProxy', () => {
  const head = '# pxname,svname,status,lastchg,type,check_status,last_chk,'
  const cases: [row: string, up: boolean, status: string, check: string][] = [
    ['web,rpi1,UP,5,2,L7OK,,', true, 'UP', 'L7OK'],
    ['web,rpi1,UP 1/2,5,2,L7STS,"wants ""more"", now",', true, 'UP 1/2', 'L7STS: wants "more", now'],
    ['web,rpi1,DOWN 1/2,5,2,* L7OK,,', false, 'DOWN 1/2', 'L7OK'],
    ['web,rpi1,MAINT,5,2,,,', false, 'MAINT', ''],
    ['web,rpi1,no check,5,2,,,', true, 'no check', ''],
  ]
  for (const [row, up, status, check] of cases)
    it(`are read: ${row}`, () =>
      assert.deepEqual(readStatistics(`${head}\n${row}\nweb,BACKEND,UP,5,1,,,\n`, 5000), [
        { name: 'rpi1', up, status, since: '1970-01-01T00:00:00.000Z', check },
      ]))

  it('are not what something else answers', () => assert.equal(readStatistics('<html>\n', 0), undefined))
})
