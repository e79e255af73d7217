import type { Event } from '../engine/events.ts'
import { entries } from './entries.ts'
import { rows } from './rows.ts'
import { newRun } from './run.ts'
import { summary } from './summary.ts'
import { coloured, plain } from './text.ts'
import type { ReportOptions } from './text.ts'

/** Milliseconds between two drawings of the live rows. */
const interval = 200

/**
 * For a person at a terminal: one live row a host, what is worth keeping printed above the rows, a summary at the
 * end. While rows are live, all else that is written to stdout or stderr is held back until `done()`.
 */
export function tty(options: ReportOptions): { listener: (event: Event) => void; done: () => Promise<void> } {
  const { stream, diff, verbose } = options
  const paint = process.env['NO_COLOR'] ? plain : coloured
  const run = newRun()
  const entry = entries(run, options, paint, ({ check }) => ({
    changes: diff || check || verbose >= 1,
    plays: false,
  }))
  let above = ''
  let end = ''
  let live: Promise<() => Promise<void>> | undefined

  async function open(): Promise<() => Promise<void>> {
    const { start } = await import('./live.ts')
    // listr2 goes on wrapping at the width that it began with.
    const width = stream.columns || 80
    return start({
      stream,
      interval,
      height: Math.min(run.hosts.size + 1, (options.rows ?? (stream.rows || 24)) - 1),
      takeAbove: () => {
        const text = above
        above = ''
        return text
      },
      draw: (icons) =>
        rows(run, {
          columns: options.columns ?? Math.min(width, stream.columns || 80),
          rows: options.rows ?? (stream.rows || 24),
          now: Date.now(),
          icons,
          paint,
        }),
    })
  }

  return {
    listener(event) {
      above += entry(event)
      if (event.type === 'start') live ??= open()
      if (event.type === 'summary') end = summary(run, event, paint)
    },
    async done() {
      const close = await live
      await close?.()
      stream.write(above + end)
      above = ''
      end = ''
    },
  }
}
