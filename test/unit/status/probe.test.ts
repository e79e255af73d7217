import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host, Inventory } from '../../../src/inventory/index.ts'
import { readParts, shareOf, statusProbe } from '../../../src/status/probe.ts'
import { raw } from '../../../src/playbook/sh.ts'
import { inventoryOf } from '../inventory/fixture.ts'
import { run, SHELLS, temporary } from '../modules/local.ts'
import { laboratory } from './cluster.ts'

describe('the probe of a status', () => {
  const directory = temporary()
  let inventory: Inventory
  let [all, web, bare]: (Host | undefined)[] = []

  /** The probe for a share that is mounted on this machine, with programs of one's own before the system's. */
  function ask(host: Host | undefined, shell: string, programs: Readonly<Record<string, string>> = {}) {
    assert.ok(host)
    const bin = join(directory.path, Object.keys(programs).join('-') || 'none')
    mkdirSync(bin, { recursive: true })
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
      chmodSync(join(bin, name), 0o755)
    }
    const probe = statusProbe(inventory, host, 1)
    const start = performance.now()
    const ran = run(raw(`PATH=${bin}:$PATH\n${probe.text}`), { shell })
    return { parts: readParts(ran.stdout), ms: performance.now() - start }
  }

  function names(host: Host | undefined, shell: string): string[] {
    return Object.keys(ask(host, shell).parts).toSorted()
  }

  before(async () => {
    // Every Linux has this mount.
    inventory = await inventoryOf({
      'hosts.yml': `all:
  vars: { nfs: { mount: /dev/pts }, haproxy: { health_port: 9 } }
  hosts: { rpi1: { ansible_host: 10.0.0.1 }, rpi2: { ansible_host: 10.0.0.2 }, rpi3: { ansible_host: 10.0.0.3 } }
  children: { managers: { hosts: { rpi1: } }, loadbalancers: { hosts: { rpi1: } }, webservers: { hosts: { rpi1: , rpi2: } }, nfs_server: { hosts: { rpi3: } } }
`,
    })
    ;[all, web, bare] = inventory.hosts
  })

  for (const shell of SHELLS) {
    it(`asks each host for what it is there for, in ${shell}`, () => {
      assert.deepEqual(names(all, shell), ['docker', 'haproxy', 'machine', 'member'])
      assert.deepEqual(names(web, shell), ['docker', 'machine', 'member'])
      assert.deepEqual(names(bare, shell), ['docker', 'machine', 'member'])
    })

    it(`finds a share that is mounted and answers, in ${shell}`, () => {
      const { parts } = ask(web, shell)
      assert.match(parts.machine?.stdout ?? '', /\nmounted\nanswers\n$/)
      assert.match(parts.machine?.stdout ?? '', /^os /m)
    })

    it(`is not held up by a share whose server is dead, in ${shell}`, () => {
      const { parts, ms } = ask(web, shell, { stat: 'trap "" TERM; sleep 8' })
      assert.match(parts.machine?.stdout ?? '', /\nmounted\n$/)
      assert.ok(ms < 7000, `${ms} ms`)
    })

    it(`tells what a share fails with, in ${shell}`, () => {
      const stat = `echo "stat: cannot read file system information for '/dev/pts': Stale file handle" >&2; exit 1`
      assert.match(
        ask(web, shell, { stat }).parts.machine?.stdout ?? '',
        /\nmounted\nfails stat: .*: Stale file handle\n$/,
      )
    })

    it(`asks its parts at the same time, and not one after another, in ${shell}`, () => {
      const meeting = join(directory.path, `meeting-${shell}`)
      mkdirSync(meeting)
      // Each waits until the other is there, which it only is if both run at once; up to 10 s.
      const meet = (own: string, other: string) =>
        `: >${meeting}/${own}; for try in $(seq 100); do [ -e ${meeting}/${other} ] && echo met && exit; sleep 0.1; done`
      const { parts } = ask(all, shell, { curl: meet('curl', 'ip'), stat: 'sleep 8', ip: meet('ip', 'curl') })
      assert.match(parts.haproxy?.stdout ?? '', /met/)
      assert.equal(Object.keys(parts).length, 4)
    })
  }

  it('looks for the share where a host has one, on web servers only', () => {
    assert.deepEqual(
      inventory.hosts.map((host) => shareOf(inventory, host)),
      ['/dev/pts', '/dev/pts', undefined],
    )
    const shareless = { ...inventory, group: () => [] }
    assert.deepEqual(
      inventory.hosts.map((host) => shareOf(shareless, host)),
      [undefined, undefined, undefined],
    )
  })

  it('reads and never writes', async () => {
    const { hosts, ...cluster } = await laboratory()
    for (const host of hosts) {
      const { text } = statusProbe(cluster, host, 5)
      assert.doesNotMatch(text, /\b(rm|mv|cp|touch|mkdir|tee|systemctl|kill -TERM)\b/)
      // What is redirected goes nowhere.
      for (const [, target] of text.matchAll(/>\s*([^\s&;)]+)/g))
        assert.match(target ?? '', /^('?\/dev\/null'?|&\d)/, text)
    }
  })
})
