import assert from 'node:assert/strict'
import type { Event } from '../../../src/engine/events.ts'
import { lines } from '../../../src/report/lines.ts'
import { changing, converged, failing, sink } from './events.ts'

function told(events: Event[], options: { diff?: boolean; verbose?: number } = {}): string {
  const { stream, text } = sink()
  events.forEach(lines({ diff: false, verbose: 0, ...options, stream }))
  return text()
}

describe('report as lines', () => {
  it('says of a converged run that 0 changed and nothing was written', () => {
    assert.equal(
      told(converged),
      `play docker

host   ok  changed  failed  skipped   time
rpi1    1        0       0        0  1.0 s
rpi10   1        0       0        0  0.1 s

0 changed in 1.4 s, 2 hosts, nothing was written
`,
    )
  })

  it('shows what was so already with -v, and connections and trips with -vv', () => {
    assert.match(told(converged, { verbose: 1 }), /^rpi1 {3}ok {11}template \/etc\/docker\/daemon.json$/m)
    const all = told(converged, { verbose: 2 })
    assert.match(all, /^rpi1 {16}connected in 0\.1 s$/m)
    assert.match(all, /^rpi1 {16}looking at 1 thing$/m)
    assert.match(all, /^rpi1 {3}trip {9}1 probe in 0\.9 s, 0\.8 s of it on the host$/m)
  })

  it('shows a line for each change', () => {
    assert.equal(
      told(changing(false)),
      `play docker
rpi1  changed      template /etc/docker/daemon.json (2.3 s)
rpi2  changed      template /etc/docker/daemon.json (2.3 s)

host  ok  changed  failed  skipped        time
rpi1   0        1       0        0       2.4 s
rpi2   0        1       0        1  1 min 00 s

2 changed in 1 min 01 s, 2 hosts
`,
    )
  })

  it('shows what check would change and what is unknown, and a diff that hosts share once', () => {
    assert.equal(
      told(changing(true), { diff: true }),
      `play docker
rpi1  would change  template /etc/docker/daemon.json (2.3 s)
    --- /etc/docker/daemon.json
    +++ /etc/docker/daemon.json
    @@ -1 +1 @@
    -{}
    +{ "debug": true }
rpi2  would change  template /etc/docker/daemon.json (2.3 s) (same diff as rpi1)
rpi2  unknown       service docker: unknown until template /etc/docker/daemon.json

host  ok  would change  failed  skipped        time
rpi1   0             1       0        0       2.4 s
rpi2   0             1       0        1  1 min 00 s

2 would change, 1 unknown in 1 min 01 s, 2 hosts, nothing was written
`,
    )
  })

  it('shows with -vv what an apply printed, without secrets and escape sequences', () => {
    assert.match(told(changing(false), { verbose: 2 }), /^ {4}\| written with \*\*\*$/m)
  })

  it('lists failures in full, each once, with journal and retry', () => {
    const printed = Array.from({ length: 20 }, (_, line) => `    line ${line + 3}`).join('\n')
    assert.equal(
      told(failing),
      `play docker
rpi2  unreachable  cannot be reached
rpi1  failed       service docker: exit code 1 (12 s)

host  ok  changed  failed  skipped   time
rpi1   0        0       1        0   12 s  failed
rpi2   0        0       0        0  3.0 s  unreachable
rpi3   0        0       0        0  0.0 s  untouched

failed rpi2
  cannot be reached
    next:     is it powered?

failed rpi1: service docker
  exit code 1
    found:    password ***
  output, without its first 2 lines:
${printed}

stopped: the play "docker" ended the run
journal: runs/1/events.jsonl
retry:   bramble apply --failed

0 changed in 15 s, 3 hosts, 1 failed, 1 unreachable
`,
    )
  })

  it('announces a play again when a task of it comes after another play began', () => {
    const task = { at: 0, type: 'task', host: 'rpi1', status: 'changed', ms: 0 } as const
    const text = told([
      { at: 0, type: 'start', playbook: 'site.ts', hosts: ['rpi1'], check: false },
      { at: 0, type: 'play', play: 'one', hosts: ['rpi1'] },
      { at: 0, type: 'play', play: 'two', hosts: ['rpi1'] },
      { ...task, play: 'one', title: 'late' },
    ])
    assert.equal(text, 'play one\nplay two\nplay one\nrpi1  changed      late\n')
  })
})
