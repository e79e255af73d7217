import type { Paint } from '../report/text.ts'
import { count, duration } from '../report/text.ts'
import type { BoundResult, DrillResult, DrillsResult } from './result.ts'

/** A number with its unit: `914 ms`, `0`. */
export function amount(value: number | null, unit: BoundResult['unit']): string {
  if (value === null) return 'never'
  return `${unit === 's' ? Math.round(value * 10) / 10 : value}${unit && ` ${unit}`}`
}

/** A line of the time line. `seconds` counts from the first request. */
export function markLine(seconds: number, what: string): string {
  return `  ${seconds.toFixed(1).padStart(7)} s  ${what}`
}

/** What the load balancers wrote during a drill, on its time line. */
export function logText({ log }: DrillResult): string {
  return log
    .map(
      ({ at_s: at, host, service, text }) => `${at.toFixed(2).padStart(8)} s  ${host} ${service}: ${text}\n`,
    )
    .join('')
}

/** What came of a drill, as lines for a terminal. */
export function resultLines(result: DrillResult, paint: Paint): string[] {
  if (result.skipped !== null) return [`  ${paint('yellow', 'skipped')}: ${result.skipped}`]
  const {
    requests,
    failed,
    longest_gap_ms: gap,
    longest_wait_ms: slowest,
    kept,
    redundant_s: redundant,
  } = result
  return [
    `  ${requests} requests, ${failed} failed, longest gap ${gap} ms, longest wait ${slowest} ms`,
    `  kept connections: ${kept.requests} requests, ${kept.again} sent again, ${kept.failed} failed`,
    `  full redundancy ${redundant === null ? 'never' : `after ${duration(redundant * 1000)}`}; the cluster ${ending(result)}`,
    ...Object.entries(result.figures).map(([name, seconds]) => `  ${name} after ${amount(seconds, 's')}`),
    ...result.failures.map(
      ({ reason, count, first_s: first, last_s: last }) =>
        `  ${count} failed: ${reason} (sent ${first} to ${last} s after)`,
    ),
    ...result.bounds.map((bound) => boundLine(bound, paint)),
    ...(result.error === null ? [] : [`  ${paint('red', '✖')} ${result.error.replaceAll('\n', '\n  ')}`]),
  ]
}

/** How all went, in a line. */
export function summaryLine({ drills, ok }: DrillsResult, paint: Paint): string {
  const skipped = drills.filter((drill) => drill.skipped !== null).length
  const missed = drills.filter((drill) => !(drill.ok && drill.as_before)).map(({ name }) => name)
  const run = `${count(drills.length - skipped, 'drill')} run${skipped > 0 ? `, ${skipped} skipped` : ''}`
  if (ok) return `${run}: ${paint('green', 'all bounds kept')}`
  const wrong =
    missed.length > 0 ? `not as it should be: ${missed.join(', ')}` : 'the others have not been run'
  return `${run}: ${paint('red', wrong)}`
}

export function ending({ as_before: asBefore }: DrillResult): string {
  return asBefore ? 'ended as it began' : 'did not end as it began'
}

function boundLine({ what, limit, unit, found, ok }: BoundResult, paint: Paint): string {
  const mark = ok ? paint('green', '✔') : paint('red', '✖')
  return `  ${mark} ${what}: ${amount(found, unit)}, at most ${amount(limit, unit)}`
}
