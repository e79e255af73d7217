/** Requests to a site, all the time, from clients that keep their connection and others that make a new one each time. */
import { spawn } from 'node:child_process'
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface Load {
  requests: number
  failed: number
  /** Milliseconds that the slowest one took. */
  slowest: number
  /** What went wrong, each kind once. */
  errors: string[]
}

/** Clients of each kind to an URL; a client rests this long between two requests. */
const CLIENTS = 3
const REST = 20
/** It ends by itself, whatever becomes of who started it. */
const LONGEST = 1_800_000

/**
 * Begins to send requests from within a network namespace; `stop` ends that and tells how they went. `connections`:
 * whether clients keep theirs, or make a `new` one for each request; default both. A kept one does not outlive a move of
 * the address that it goes to.
 *
 * @example const load = startLoad(namespace, ['http://10.77.0.11/']); …; assert.equal((await load.stop()).failed, 0)
 */
export function startLoad(
  namespace: string,
  urls: readonly string[],
  connections: readonly ('kept' | 'new')[] = ['kept', 'new'],
): { stop(): Promise<Load> } {
  const self = fileURLToPath(import.meta.url)
  const node = [process.execPath, ...process.execArgv, '--import', 'tsx', self, connections.join(), ...urls]
  const child = spawn('nsenter', [`--net=${namespace}`, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    async stop() {
      child.stdin.end()
      await ended
      return JSON.parse(printed) as Load
    },
  }
}

async function run(connections: readonly string[], urls: readonly string[]): Promise<Load> {
  const load: Load = { requests: 0, failed: 0, slowest: 0, errors: [] }
  const over = new AbortController()
  process.stdin.once('end', () => over.abort()).resume()
  setTimeout(() => over.abort(), LONGEST).unref()
  const client = async (url: string, keepAlive: boolean): Promise<void> => {
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    while (!over.signal.aborted) {
      const start = performance.now()
      const error = await request(url, agent)
      load.requests += 1
      load.slowest = Math.max(load.slowest, Math.round(performance.now() - start))
      if (error !== undefined) load.failed += 1
      if (error !== undefined && !load.errors.includes(error)) load.errors.push(error)
      await delay(REST)
    }
    agent.destroy()
  }
  const clients = urls.flatMap((url) =>
    Array.from({ length: CLIENTS }, () => connections.map((kind) => client(url, kind === 'kept'))).flat(),
  )
  await Promise.all(clients)
  return load
}

/** What went wrong with a request, if anything. */
function request(url: string, agent: Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = get(url, { agent, timeout: 10_000 }, (response) => {
      response.once('error', (error) => resolve(`${url}: ${error.message}`))
      response.once('end', () => {
        resolve(response.statusCode === 200 ? undefined : `${url}: ${response.statusCode}`)
      })
      response.resume()
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer within 10 s')))
    sent.once('error', (error) => resolve(`${url}: ${error.message}`))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [kinds = '', ...urls] = process.argv.slice(2)
  process.stdout.write(JSON.stringify(await run(kinds.split(','), urls)))
}
