import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { inNamespace } from '../../src/lab/lab.ts'
import { longestGap, startWatch, type Answer } from '../watch.ts'
import { eventually, on } from './cluster.ts'

const namespace = '/run/netns/bramble-lab'
const server = 'rpi4'
const clients = ['rpi1', 'rpi2', 'rpi3']
const site = 'http://192.168.188.200/'
const newsOf = (node: string): string => `http://192.168.188.1${node.slice(-1)}:8080/news`

/** Clients of the virtual IP, so many that each web server always has somebody who waits for it. */
const CLIENTS = 8

/**
 * A gap of five seconds, new content after ten: those are a drill's bounds, for a computer that does nothing else. Here
 * twice as much passes, as nobody knows what else it does; `npm run test:drills` keeps the bounds themselves.
 */
export const BUSY = 2

/** What was seen while the share was away, and after it had come back; times in milliseconds. */
export interface Outage {
  /** When the share went away, in milliseconds since 1970. */
  began: number
  requests: number
  failed: Answer[]
  /** Of these, those that were asked when the mirrors had to be served already. */
  late: readonly Answer[]
  /** The longest time without a good answer through the virtual IP. */
  gap: number
  slowest: number
  /**
   * From the cut until each node that mounts the share served its mirror, by its own log: a single request to a machine
   * that is busy may wait for longer. Infinity where no answer came from the mirror at all. What visitors wait for is `gap`, and that none fails is `late`.
   */
  mirrored: Record<string, number>
  /** From the moment that the server's port answered again until each of them served what was written after it. */
  renewed: Record<string, number>
}

/** A unit on the server that writes the time into the share every second, from its boot on. */
export async function startNews(): Promise<void> {
  const unit = `[Service]
ExecStart=/bin/sh -c 'while :; do date +%%s >/srv/nfs/share/.news; mv /srv/nfs/share/.news /srv/nfs/share/news; sleep 1; done'
[Install]
WantedBy=multi-user.target`
  const path = '/etc/systemd/system/news.service'
  await on(
    'rpi4',
    `printf '%s\\n' "${unit.replaceAll('%', '%%').replaceAll('$', '\\$')}" | sed 's/%%/%/g' >${path}; systemctl daemon-reload; systemctl enable --now news`,
  )
}

export function stopNews(): Promise<string> {
  return on(
    'rpi4',
    'systemctl disable --now news; rm -f /etc/systemd/system/news.service /srv/nfs/share/news',
  )
}

/** The share goes away and comes back while clients ask for the site. */
export async function outage(
  cut: (name: string) => Promise<void>,
  heal: (name: string) => Promise<void>,
  seconds: number,
): Promise<Outage> {
  // Without the news: a share that never rests is copied all the same, but late.
  await eventually('a mirror on every node, and the share served', 120, async () => {
    for (const node of clients) {
      await on(node, 'cd /srv/bramble/share.mirror && test -e current/index.html && test -e nfs')
    }
    return true
  })
  const watch = await startWatch(namespace, [
    ...Array.from({ length: CLIENTS }, () => site),
    ...clients.map(newsOf),
  ])
  const began = Date.now()
  await cut(server)
  await delay(seconds * 1000)
  await heal(server)
  const back = await eventually('the NFS server at its port', 240, async () => {
    await promisify(execFile)('timeout', [
      '1',
      ...inNamespace(['bash', '-c', ': </dev/tcp/192.168.188.14/2049']),
    ])
    return Date.now()
  })
  await eventually('what was written since', 60, async () => {
    await delay(200)
    return clients.every((node) => watch.answers.some((answer) => isNew(answer, node, back)))
      ? true
      : undefined
  })
  const answers = await watch.stop()
  const mirrored: Record<string, number> = {}
  for (const node of clients) {
    const answered = answers.some(({ url, content, at }) => {
      return url === newsOf(node) && content === 'mirror' && at > began
    })
    mirrored[node] = answered ? (await mirrorServed(node, began)) - began : Infinity
  }
  return { ...report(answers, began, back), mirrored }
}

/** When that began, by the node's clock, which is a second off at most; Infinity if it did not. */
async function mirrorServed(node: string, since: number): Promise<number> {
  const log = `journalctl --unit bramble-content --since @${Math.floor(since / 1000) - 1} --no-pager --output short-unix`
  const [time] = /^[\d.]+(?=.*the mirror is served)/m.exec(await on(node, log)) ?? []
  return time === undefined ? Infinity : Math.round(Number(time) * 1000)
}

/** It was written after that moment; the clocks of the machines are a second apart at most. */
function isNew({ url, content, body }: Answer, node: string, back: number): boolean {
  return url === newsOf(node) && content === 'nfs' && Number(body) * 1000 > back - 1000
}

function each(of: (node: string) => number): Record<string, number> {
  return Object.fromEntries(clients.map((node) => [node, of(node)]))
}

function report(answers: readonly Answer[], began: number, back: number): Omit<Outage, 'mirrored'> {
  const all = answers.filter(({ url, asked }) => url === site && asked > began - 5000)
  const first = (node: string, from: number, is: (answer: Answer) => boolean): number => {
    const found = answers.find((one) => one.url === newsOf(node) && one.at > from && is(one))
    return found ? found.at - from : Infinity
  }
  const failed = all.filter(({ status }) => status !== 200)
  return {
    began,
    requests: all.length,
    failed,
    late: failed.filter(({ asked }) => asked > began + 5000 * BUSY),
    gap: longestGap(all).ms,
    slowest: Math.max(...all.map(({ asked, at }) => at - asked)),
    renewed: each((node) => first(node, back, (answer) => isNew(answer, node, back))),
  }
}

/** Prints what the machines wrote: when the virtual IP moved, which would cut requests, and when mirrors were served. */
async function tellLogs(since: number): Promise<void> {
  const from = Math.floor(since / 1000)
  const logs = `for id in $(docker ps -aq --filter name=_keepalived); do docker logs -t --since ${from} $id 2>&1; done | grep Entering
journalctl --unit bramble-content --since @${from} --no-pager --output short-precise`
  for (const node of clients) console.log(`      ${node}: ${await on(node, logs)}`)
}

/** Within those bounds, and none failed once the mirrors had to be served. */
export async function assertShort({ failed, late, ...outage }: Outage): Promise<void> {
  console.log(`      ${JSON.stringify({ ...outage, late: late.length, failed: failed.length })}`)
  for (const { asked, at, status, error, node } of failed.slice(0, 5))
    console.log(`      ${asked} + ${at - asked}: ${status} ${error} ${node}`)
  const slow = clients.some((node) => (outage.mirrored[node] ?? Infinity) > 5000 * BUSY)
  if (slow || late.length > 0) await tellLogs(outage.began)
  assert.deepEqual(late, [])
  assert(outage.gap <= 5000 * BUSY, `no good answer for ${outage.gap} ms`)
  for (const node of clients) {
    const [mirrored = Infinity, renewed = Infinity] = [outage.mirrored[node], outage.renewed[node]]
    assert(mirrored <= 5000 * BUSY, `${node} served its mirror after ${mirrored} ms`)
    assert(renewed <= 10_000 * BUSY, `${node} served new content after ${renewed} ms`)
  }
}
