/** Asks URLs again and again and keeps every answer, to tell afterwards when a site was away and what it served. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface Answer {
  url: string
  /** When it was asked and when it answered, in milliseconds since 1970. */
  asked: number
  at: number
  /** 0 when there was no answer. */
  status: number
  error?: string
  node?: string
  content?: string
  body: string
}

/** Between an answer and the next question. */
const REST = 100
const TIMEOUT = 10_000
/** It ends by itself, whatever becomes of who started it. */
const LONGEST = 900_000

export interface Watch {
  /** Those that came so far, in the order of their coming. */
  answers: readonly Answer[]
  stop(): Promise<readonly Answer[]>
}

/**
 * Begins to ask from within a network namespace, an URL that stands there twice by two clients; each question takes a new
 * connection. It returns when there is an answer for each.
 *
 * @example const watch = await startWatch(namespace, ['http://192.168.188.200/']); …; longestGap(await watch.stop())
 */
export async function startWatch(namespace: string, urls: readonly string[]): Promise<Watch> {
  const self = fileURLToPath(import.meta.url)
  const node = [process.execPath, ...process.execArgv, '--import', 'tsx', self, ...urls]
  const child = spawn('nsenter', [`--net=${namespace}`, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers: Answer[] = []
  const lines = createInterface({ input: child.stdout })
  const ended = once(lines, 'close')
  await new Promise<void>((resolve) => {
    lines.once('close', resolve).on('line', (line) => {
      answers.push(JSON.parse(line) as Answer)
      if (answers.length >= urls.length) resolve()
    })
  })
  return {
    answers,
    async stop() {
      child.stdin.end()
      await ended
      return answers
    },
  }
}

/** The longest time between two good answers, in milliseconds, and when it began. */
export function longestGap(answers: readonly Answer[]): { ms: number; from: number } {
  const good = answers.filter(({ status }) => status === 200)
  return good.reduce(
    (longest, { at }, index) => {
      const from = good[index - 1]?.at ?? at
      return at - from > longest.ms ? { ms: at - from, from } : longest
    },
    { ms: 0, from: 0 },
  )
}

async function run(urls: readonly string[]): Promise<void> {
  const over = new AbortController()
  process.stdin.once('end', () => over.abort()).resume()
  setTimeout(() => over.abort(), LONGEST).unref()
  await Promise.all(
    urls.map(async (url) => {
      while (!over.signal.aborted) {
        process.stdout.write(`${JSON.stringify(await ask(url))}\n`)
        await delay(REST)
      }
    }),
  )
}

function ask(url: string): Promise<Answer> {
  const asked = Date.now()
  return new Promise((resolve) => {
    const done = (rest: Partial<Answer>) =>
      resolve({ url, asked, at: Date.now(), status: 0, body: '', ...rest })
    const sent = get(url, { agent: false, timeout: TIMEOUT }, (response) => {
      const { statusCode: status = 0, headers } = response
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.once('error', (error) => done({ error: error.message }))
      response.once('end', () =>
        done({
          status,
          body,
          ...(headers['x-bramble-node'] && { node: String(headers['x-bramble-node']) }),
          ...(headers['x-bramble-content'] && { content: String(headers['x-bramble-content']) }),
        }),
      )
    })
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT} ms`)))
    sent.once('error', (error) => done({ error: error.message }))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(process.argv.slice(2))
}
