import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Event } from '../src/engine/events.ts'

const bramble = join(import.meta.dirname, '../bin/bramble')

export interface Watched {
  /** null when it was killed. */
  code: number | null
  events: Event[]
  stderr: string
}

/**
 * Runs the built program, which has to tell its events as JSON, and hands on each as it comes: something may happen to
 * the program, or to its hosts, at any of them.
 *
 * @example await watched(['apply', '-o', 'json'], folder, (event, child) => event.type === 'task' && child.kill('SIGKILL'))
 */
export async function watched(
  words: readonly string[],
  folder: string,
  onEvent?: (event: Event, child: ChildProcess) => void,
): Promise<Watched> {
  const child = spawn(process.execPath, [bramble, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const events: Event[] = []
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const closed = once(child, 'close') as Promise<[number | null]>
  for await (const line of createInterface({ input: child.stdout })) {
    // The last line of a program that was killed may be no whole one.
    if (!line.endsWith('}')) continue
    const event = JSON.parse(line) as Event
    events.push(event)
    onEvent?.(event, child)
  }
  const [code] = await closed
  return { code, events, stderr }
}

/** Waits until a program has ended, but no longer than so many milliseconds. */
export async function ended(child: ChildProcess, patience: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await Promise.race([once(child, 'exit'), delay(patience, undefined, { ref: false })])
}
