import assert from 'node:assert/strict'
import { rows } from '../../../src/report/rows.ts'
import type { Screen } from '../../../src/report/rows.ts'
import { follow, newRun } from '../../../src/report/run.ts'
import type { Run } from '../../../src/report/run.ts'
import { plain } from '../../../src/report/text.ts'

const icons = { busy: '*', done: '+', failed: 'x', waiting: '.' }

function screen(parts: Partial<Screen> = {}): Screen {
  return { columns: 80, rows: 24, now: 65_000, icons, paint: plain, ...parts }
}

function runOf(hosts: string[]): Run {
  const run = newRun()
  follow(run, { at: 0, type: 'start', playbook: 'playbooks/site.ts', hosts, check: false })
  follow(run, { at: 0, type: 'play', play: 'docker', hosts })
  return run
}

const what = 'apt docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin'

describe('rows of the terminal', () => {
  it('show what each host does, its counts and how long it has been at it', () => {
    const run = runOf(['rpi1', 'rpi2', 'rpi3', 'rpi4'])
    follow(run, { at: 60_000, type: 'doing', host: 'rpi1', play: 'docker', what })
    follow(run, { at: 0, type: 'task', host: 'rpi2', play: 'docker', title: 't', status: 'changed', ms: 1 })
    follow(run, { at: 9000, type: 'finished', host: 'rpi2', ms: 5000 })
    follow(run, { at: 3000, type: 'failed', host: 'rpi3', reason: 'no route', unreachable: true })
    assert.deepEqual(rows(run, screen()), [
      'playbooks/site.ts › docker  1:05',
      '* rpi1   0 ok   0 changed   0:05  apt docker-ce docker-ce-cli containerd.io d…',
      '+ rpi2   0 ok   1 changed   0:05',
      'x rpi3   0 ok   0 changed   0:03  unreachable',
      '. rpi4   0 ok   0 changed         waiting',
    ])
  })

  it('are never wider than the terminal less two, whatever host, task and counts', () => {
    for (const columns of [60, 80, 200]) {
      const run = runOf(['rpi1', 'a-very-long-host-name.with.a.domain.example.org'])
      for (const host of run.hosts.keys()) {
        follow(run, { at: 0, type: 'doing', host, play: 'docker', what: what.repeat(5) })
        follow(run, { at: 0, type: 'task', host, play: 'docker', title: 't', status: 'failed', ms: 1 })
      }
      for (const row of rows(run, screen({ columns }))) assert.ok(row.length <= columns - 2, row)
    }
  })

  it('leave what a host did when its task is over, and mark the host done until its next play', () => {
    const run = runOf(['rpi1'])
    const row = (): string => rows(run, screen())[1] ?? ''
    follow(run, { at: 0, type: 'doing', host: 'rpi1', play: 'docker', what: 'mount /srv' })
    follow(run, { at: 0, type: 'trip', host: 'rpi1', probes: 0, ms: 1, remoteMs: 1 })
    assert.match(row(), /^\* .* mount \/srv$/)
    follow(run, {
      at: 0,
      type: 'task',
      host: 'rpi1',
      play: 'docker',
      title: 'mount /srv',
      status: 'ok',
      ms: 1,
    })
    assert.match(row(), /^\. .* waiting$/)
    follow(run, { at: 0, type: 'finished', host: 'rpi1', ms: 7000 })
    assert.match(row(), /^\+ .* 0:07$/)
    follow(run, { at: 0, type: 'play', play: 'swarm', hosts: ['rpi1'] })
    assert.match(row(), /^\. .* waiting$/)
  })

  it('keep a host that failed failed, whatever is told of it later', () => {
    const run = runOf(['rpi1'])
    follow(run, { at: 2000, type: 'failed', host: 'rpi1', reason: 'no space left', unreachable: false })
    follow(run, { at: 3000, type: 'finished', host: 'rpi1', ms: 3000 })
    follow(run, { at: 3000, type: 'play', play: 'swarm', hosts: ['rpi1'] })
    assert.match(rows(run, screen())[1] ?? '', /^x .* 0:02 {2}failed$/)
  })

  it('show the failed and the busy first where the terminal is too low, and count the rest', () => {
    const hosts = Array.from({ length: 30 }, (_, index) => `rpi${index + 1}`)
    const run = runOf(hosts)
    follow(run, { at: 0, type: 'failed', host: 'rpi30', reason: 'no route', unreachable: true })
    follow(run, { at: 0, type: 'doing', host: 'rpi29', play: 'docker', what })
    follow(run, { at: 0, type: 'finished', host: 'rpi1', ms: 1 })
    const shown = rows(run, screen())
    assert.equal(shown.length, 23)
    assert.match(shown[1] ?? '', /^\. rpi2 /)
    assert.match(shown[20] ?? '', /^\* rpi29 /)
    assert.match(shown[21] ?? '', /^x rpi30 /)
    assert.equal(shown[22], '… 9 more: 8 waiting, 1 done')
  })

  it('show all hosts where they just fit', () => {
    const hosts = Array.from({ length: 22 }, (_, index) => `rpi${index + 1}`)
    assert.equal(rows(runOf(hosts), screen()).length, 23)
    assert.match(rows(runOf(hosts), screen()).at(-1) ?? '', /^\. rpi22 /)
  })
})
