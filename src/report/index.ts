import type { Listener } from '../engine/events.ts'
import { json } from './json.ts'
import { lines } from './lines.ts'
import type { ReportOptions } from './text.ts'
import { tty } from './tty.ts'
import { written } from './written.ts'

export { journal } from './journal.ts'
export type { ReportOptions } from './text.ts'

/**
 * Tells of a run on a stream: `tty` with a live row a host, `lines` as plain text, `json` as one event a line with
 * the summary last. Where the stream is no terminal, or one that cannot move its cursor (TERM=dumb), `tty` becomes
 * `lines`. Colours are left out where NO_COLOR is set.
 *
 * `done()` is awaited before anything else is printed and before the process ends, also when the run threw: it
 * removes the live rows, prints the summary, gives the terminal back and waits until all is written.
 *
 * @example
 * const { listener, done } = report('lines', { diff: false, verbose: 0, stream: process.stdout })
 */
export function report(
  output: 'tty' | 'lines' | 'json',
  options: ReportOptions,
): { listener: Listener; done: () => Promise<void> } {
  const { stream } = options
  if (output === 'tty' && stream.isTTY && process.env['TERM'] !== 'dumb') {
    const { listener, done } = tty(options)
    return { listener, done: () => done().then(() => written(stream)) }
  }
  const listener = output === 'json' ? json(stream) : lines(options)
  return { listener, done: () => written(stream) }
}
