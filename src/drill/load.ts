import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { BrambleError } from '../errors.ts'
import type { ClientOptions } from './client.ts'
import type { Sample } from './measure.ts'

/** Built beside this program: `../..` is the project's folder from there as from here. */
const program = fileURLToPath(new URL('../../dist/drill/client.js', import.meta.url))

export interface LoadOptions extends Partial<Omit<ClientOptions, 'urls'>> {
  /** The words in front of the command that sends requests: how to get to where the site's clients are. */
  via?: readonly string[]
}

export interface Load {
  /** What has become of requests so far, in the order they ended. */
  samples: readonly Sample[]
  /** Sends no more, and waits for the answers to those under way, 10 seconds at most. */
  stop(): Promise<readonly Sample[]>
}

/**
 * Begins to send requests to a site. By default 20 new connections a second to each URL, since emulated machines bear
 * no more and 50 ms are well below every bound, and two clients that keep theirs.
 *
 * Errors: BrambleError from `stop` when the program that sends them came to nothing.
 *
 * @example const load = startLoad([`http://${vip}/`]); …; measure(await load.stop(), began, Date.now()).failed
 */
export function startLoad(
  urls: readonly string[],
  { via = [], every = 50, kept = 2, rest = 250 }: LoadOptions = {},
): Load {
  const options = JSON.stringify({ urls, every, kept, rest } satisfies ClientOptions)
  const [command, ...words] = [...via, process.execPath, program, options]
  // Ctrl-C is not meant for it: it is to see the end, too.
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  const samples: Sample[] = []
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  createInterface({ input: child.stdout }).on('line', (line) => samples.push(JSON.parse(line) as Sample))
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'close').then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return {
    samples,
    async stop() {
      child.stdin.end()
      const cause = await ended
      if (cause === undefined && child.exitCode === 0) return samples
      throw new BrambleError('the program that sends requests did not work', {
        found: `exit code ${child.exitCode}`,
        stderr,
        next: 'npm run build',
        cause,
      })
    },
  }
}
