/**
 * The program that sends requests to a site, in a process of its own: nothing else that is done during a drill shall
 * be in the time they take. A line of JSON on stdout for each; it ends with its stdin, once all have been answered.
 *
 * @module
 */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sample } from './measure.ts'

/** What the program is told, as its one argument. */
export interface ClientOptions {
  urls: readonly string[]
  /** Milliseconds between two new connections to an URL, whether those before have been answered or not; 0: none. */
  every: number
  /** Clients to an URL that keep their connection, each with one request at a time. */
  kept: number
  /** Milliseconds that such a client rests between two requests. */
  rest: number
}

/** No browser shows a page to somebody who has waited longer. */
const PATIENCE = 10_000
/** It ends by itself, whatever becomes of who started it. */
const LONGEST = 2 * 3_600_000

const RECEIVING = 'receiving the answer'

/** `stale`: the connection had been used before, and has ended before there was any answer. */
type Answer = Pick<Sample, 'error' | 'content' | 'node'> & { stale?: boolean }

const options = JSON.parse(process.argv[2] ?? '') as ClientOptions
const over = new AbortController()
process.stdin.once('end', () => over.abort()).resume()
setTimeout(() => over.abort(), LONGEST).unref()
// Who started this has gone.
process.stdout.once('error', () => process.exit())

const under = new Set<Promise<void>>()
for (const url of options.urls) {
  for (let client = 0; client < options.kept; client += 1) under.add(keep(url))
  if (options.every > 0) under.add(renew(url))
}
await Promise.all(under)
// Of those that were sent meanwhile, the last ones.
await Promise.all(under)

/** At a steady pace: a site that is away for a moment is not asked less often because of it. */
async function renew(url: string): Promise<void> {
  const started = now()
  for (let count = 0; !over.signal.aborted; count += 1) {
    const request = timed('new', url, () => ask(url, false))
    under.add(request)
    void request.then(() => under.delete(request))
    await rest(started + (count + 1) * options.every - now())
  }
}

async function keep(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!over.signal.aborted) {
    await timed('kept', url, async () => {
      const answer = await ask(url, agent)
      if (!answer.stale) return answer
      return { ...(await ask(url, agent)), again: true as const }
    })
    await rest(options.rest)
  }
  agent.destroy()
}

async function timed(
  kind: Sample['kind'],
  url: string,
  request: () => Promise<Answer & Pick<Sample, 'again'>>,
): Promise<void> {
  const at = now()
  const { stale: _, ...answer } = await request()
  const sample: Sample = {
    kind,
    url,
    at: Math.round(at),
    ms: Math.round((now() - at) * 10) / 10,
    ...answer,
  }
  process.stdout.write(`${JSON.stringify(sample)}\n`)
}

function ask(url: string, agent: Agent | false): Promise<Answer> {
  return new Promise((resolve) => {
    let stage = 'connecting'
    const finish = (answer: Answer) => {
      clearTimeout(timer)
      resolve(answer)
    }
    const fail = (error: NodeJS.ErrnoException) => {
      const ended = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      // A browser sends again only what nothing was answered to.
      const unanswered = stage !== RECEIVING
      finish({
        error: `${reasonOf(error)} while ${stage}`,
        stale: ended && unanswered && request.reusedSocket,
      })
    }
    const request = get(url, { agent }, (response) => {
      stage = RECEIVING
      response.once('error', fail)
      response.once('end', () => {
        const { 'x-bramble-content': content, 'x-bramble-node': node } = response.headers
        const from = typeof node === 'string' ? `, from ${node}` : ''
        finish({
          ...(typeof content === 'string' && { content }),
          ...(typeof node === 'string' && { node }),
          ...(response.statusCode !== 200 && { error: `answered ${response.statusCode}${from}` }),
        })
      })
      response.resume()
    })
    const timer = setTimeout(() => request.destroy(new Error(`nothing for ${PATIENCE / 1000} s`)), PATIENCE)
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (stage = 'waiting for the answer'))
      else stage = 'waiting for the answer'
    })
    request.once('error', fail)
  })
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNRESET: 'connection ended',
    EPIPE: 'connection ended',
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to the address',
    ETIMEDOUT: 'connection timed out',
  }
  return words[error.code ?? ''] ?? error.message
}

function now(): number {
  return performance.timeOrigin + performance.now()
}

function rest(ms: number): Promise<void> {
  return delay(Math.max(0, ms), undefined, { signal: over.signal }).catch(() => undefined)
}
