import { Writable } from 'node:stream'
import type { Event, HostSummary } from '../../../src/engine/events.ts'
import { Secret } from '../../../src/secrets/secret.ts'

/** Known to redact() from here on; the quote and the line feed must not hide it in JSON. */
export const secret = new Secret('swordfish"\nplus')

const at = Date.UTC(2026, 0, 1)
const template = 'template /etc/docker/daemon.json'
const diff =
  '--- /etc/docker/daemon.json\n+++ /etc/docker/daemon.json\n@@ -1 +1 @@\n-{}\n+{ "debug": true }\n'

export function host(parts: Partial<HostSummary> = {}): HostSummary {
  return {
    ok: 0,
    changed: 0,
    failed: 0,
    skipped: 0,
    trips: 2,
    unreachable: false,
    ms: 0,
    remoteMs: 0,
    ...parts,
  }
}

/** Two hosts, nothing to do. */
export const converged: Event[] = [
  { at, type: 'start', playbook: 'playbooks/site.ts', hosts: ['rpi1', 'rpi10'], check: false },
  { at, type: 'play', play: 'docker', hosts: ['rpi1', 'rpi10'] },
  { at, type: 'connected', host: 'rpi1', ms: 100 },
  { at, type: 'connected', host: 'rpi10', ms: 120 },
  { at, type: 'doing', host: 'rpi1', play: 'docker', what: 'looking at 1 thing' },
  { at, type: 'trip', host: 'rpi1', probes: 1, ms: 900, remoteMs: 800 },
  { at, type: 'task', host: 'rpi1', play: 'docker', title: template, status: 'ok', ms: 1 },
  { at, type: 'task', host: 'rpi10', play: 'docker', title: template, status: 'ok', ms: 1 },
  { at, type: 'finished', host: 'rpi1', ms: 1 },
  { at, type: 'finished', host: 'rpi10', ms: 1 },
  {
    at,
    type: 'summary',
    ok: true,
    ms: 1400,
    check: false,
    wrote: false,
    hosts: { rpi1: host({ ok: 1, ms: 1000 }), rpi10: host({ ok: 1, ms: 120 }) },
  },
]

/** Two hosts that change alike. */
export function changing(check: boolean): Event[] {
  const hosts = ['rpi1', 'rpi2']
  return [
    { at, type: 'start', playbook: 'playbooks/site.ts', hosts, check },
    { at, type: 'play', play: 'docker', hosts },
    ...hosts.map((host): Event => ({ at, type: 'doing', host, play: 'docker', what: template })),
    ...hosts.map((host): Event => ({
      at,
      type: 'task',
      host,
      play: 'docker',
      title: template,
      status: 'changed',
      ms: 2300,
      diff,
      output: `written\u001B[2J with ${secret.reveal()}\n`,
    })),
    {
      at,
      type: 'task',
      host: 'rpi2',
      play: 'docker',
      title: 'service docker',
      status: check ? 'unknown' : 'skipped',
      ms: 0,
      reason: `unknown until ${template}`,
    },
    {
      at,
      type: 'summary',
      ok: true,
      ms: 61_200,
      check,
      wrote: !check,
      hosts: { rpi1: host({ changed: 1, ms: 2400 }), rpi2: host({ changed: 1, skipped: 1, ms: 60_000 }) },
    },
  ]
}

/** One host fails in a task, one is never reached, one is left untouched. */
export const failing: Event[] = [
  {
    at,
    type: 'start',
    playbook: 'playbooks/site.ts',
    hosts: ['rpi1', 'rpi2', 'rpi3'],
    check: false,
    journal: 'runs/1/events.jsonl',
  },
  { at, type: 'play', play: 'docker', hosts: ['rpi1', 'rpi2', 'rpi3'] },
  {
    at: at + 3000,
    type: 'failed',
    host: 'rpi2',
    reason: 'rpi2: cannot be reached\n  next:     is it powered?',
    unreachable: true,
  },
  {
    at,
    type: 'task',
    host: 'rpi1',
    play: 'docker',
    title: 'service docker',
    status: 'failed',
    ms: 12_000,
    reason: `rpi1: service docker: exit code 1\n  found:    password ${secret.reveal()}`,
    output: Array.from({ length: 22 }, (_, line) => `line ${line + 1}`).join('\n'),
  },
  { at, type: 'failed', host: 'rpi1', reason: 'service docker failed', unreachable: false },
  {
    at,
    type: 'summary',
    ok: false,
    ms: 15_000,
    check: false,
    wrote: true,
    hosts: {
      rpi1: host({ failed: 1, ms: 12_000 }),
      rpi2: host({ unreachable: true, ms: 3000 }),
      rpi3: host(),
    },
    retry: 'bramble apply --failed',
    stopped: 'the play "docker" ended the run',
  },
]

/** A stream that keeps what is written to it. */
export function sink(): { stream: Writable; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  return { stream, text: () => text }
}
