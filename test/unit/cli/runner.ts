import { Readable } from 'node:stream'
import { exit } from '../../../src/cli/exit.ts'
import { main } from '../../../src/cli/main.ts'
import type { Asked, Told } from './bramble.ts'

/*
 * Runs the command line for the tests, in a process of its own: each run has its folder, environment and streams.
 * One process for all of them, since a start costs more than what most commands do.
 */

const environment = { ...process.env }

process.on('message', (message) => {
  void answer(message as Asked)
})

async function answer({ id, folder, words, env, input }: Asked): Promise<void> {
  process.chdir(folder)
  process.env = { ...environment, ...env }
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true })
  exit(0)
  const printed = { stdout: '', stderr: '' }
  const restore = [capture('stdout', printed), capture('stderr', printed)]
  let code = -1
  try {
    code = await main(words)
  } catch (error) {
    printed.stderr += `main threw: ${String(error)}`
  } finally {
    for (const one of restore) one()
  }
  process.send?.({ id, code, ...printed } satisfies Told)
}

function capture(name: 'stdout' | 'stderr', printed: Record<'stdout' | 'stderr', string>): () => void {
  const stream = process[name]
  const write = stream.write.bind(stream)
  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
    printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.at(-1)
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
  return () => {
    stream.write = write
  }
}
