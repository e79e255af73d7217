import { spawn } from 'node:child_process'

export interface Load {
  /** Ends it; what became of the requests. */
  stop(): Promise<LoadResult>
}

export interface LoadResult {
  sent: number
  /** What each failed request said. */
  failures: string[]
  /** Milliseconds of the slowest request that was answered. */
  slowest: number
}

/** Runs in the namespace: a request every so many ms, each over a connection of its own, until its input ends. */
const client = `
const { get } = require('node:http')
const [url, interval, most] = process.argv.slice(1)
const failures = []
let sent = 0, open = 0, slowest = 0, over = false
const timer = setInterval(() => {
  if (sent >= Number(most)) return clearInterval(timer)
  sent += 1
  open += 1
  const start = performance.now()
  const end = (failure) => {
    open -= 1
    if (failure) failures.push(new Date().toISOString() + ' ' + failure)
    else slowest = Math.max(slowest, performance.now() - start)
    finish()
  }
  get(url, { agent: false, timeout: 10000 }, (response) => {
    response.resume()
    response.on('error', (error) => end(error.message))
    response.on('end', () => end(response.statusCode === 200 ? undefined : 'status ' + response.statusCode))
  })
    .on('timeout', function () { this.destroy(new Error('no answer within 10 s')) })
    .on('error', (error) => end(error.message))
}, Number(interval))
const finish = () => {
  if (over && open === 0) console.log(JSON.stringify({ sent, failures, slowest: Math.round(slowest) }))
}
process.stdin.resume().on('end', () => { over = true; clearInterval(timer); finish() })
`

/**
 * Requests a page at a steady rate inside a network namespace, each over a new connection, until it is stopped; at most
 * 30,000 of them.
 *
 * @example const { stop } = startLoad(lab.namespace, 'http://10.77.0.200/', 100)
 */
export function startLoad(namespace: string, url: string, interval: number): Load {
  const words = [`--net=${namespace}`, process.execPath, '-e', client, url, String(interval), '30000']
  const child = spawn('nsenter', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = new Promise<LoadResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(JSON.parse(printed) as LoadResult))
  })
  return {
    stop() {
      child.stdin.end()
      return ended
    },
  }
}
