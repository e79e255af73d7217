import type { Event } from '../engine/events.ts'
import { entries } from './entries.ts'
import { newRun } from './run.ts'
import { summary } from './summary.ts'
import { plain } from './text.ts'
import type { ReportOptions } from './text.ts'

/** Plain text, one line a change or failure, without escape codes: for pipes, logs and CI. */
export function lines(
  options: Pick<ReportOptions, 'diff' | 'verbose'> & { stream: NodeJS.WritableStream },
): (event: Event) => void {
  const run = newRun()
  const entry = entries(run, options, plain, () => ({ changes: true, plays: true }))
  return (event) => {
    const text = event.type === 'summary' ? summary(run, event, plain) : entry(event)
    if (text !== '') options.stream.write(text)
  }
}
