import { duration } from '../report/text.ts'
import type { BoundResult, DrillResult, DrillsResult } from './result.ts'
import { amount, ending } from './text.ts'

/** The table of drills, in Markdown: what was asked of each, and what it came to. */
export function drillTable({ drills }: Pick<DrillsResult, 'drills'>): string {
  const rows = drills.map((drill) => [
    drill.title,
    ...(drill.skipped === null ? figures(drill) : ['', '', '', `skipped: ${drill.skipped}`, '']),
  ])
  const head = ['drill', 'requests', 'failed', 'longest gap', 'bounds', 'full redundancy after']
  return table(head, rows)
}

/**
 * What people can put into their own README: the table, the picture of availability over time, and the reason for each
 * failed request. `picture` is the file of the picture, beside this one.
 */
export function drillReport(result: DrillsResult, picture: string): string {
  const { time, url, lab, drills } = result
  const run = drills.filter(({ skipped }) => skipped === null)
  const again = run.reduce((sum, { kept }) => sum + kept.again, 0)
  const kept = run.reduce((sum, drill) => sum + drill.kept.requests, 0)
  const where = lab === null ? `the cluster at ${url}` : `virtual Pis (${lab})`
  return `# Availability

Measured on ${where} by \`bramble drill\`, ${time.slice(0, 10)}.

${drillTable(result)}
![Answered and failed requests, second by second](${picture})

Each drill runs under load: 20 requests a second over new connections, which the table counts, and two clients that keep theirs: ${again} of their ${kept} requests met a connection that had ended and were sent once more, as browsers do.

${run.map(detail).join('\n')}`
}

function figures(drill: DrillResult): string[] {
  const { requests, failed, longest_gap_ms: gap, redundant_s: redundant } = drill
  return [
    String(requests),
    String(failed),
    `${gap} ms`,
    [...drill.bounds.map(boundText), ...(drill.as_before ? [] : [`✖ ${ending(drill)}`])].join('<br>'),
    redundant === null ? 'never' : duration(redundant * 1000),
  ]
}

function boundText({ what, limit, unit, found, ok }: BoundResult): string {
  const most = limit === 0 ? 'none' : `at most ${amount(limit, unit)}`
  return `${ok ? '✔' : '✖'} ${what}: ${amount(found, unit)} (${most})`
}

function detail(drill: DrillResult): string {
  const events = drill.marks.map(({ at_s: at, what }) => `- ${at.toFixed(1)} s: ${what}`)
  const failures = drill.failures.map(
    ({ reason, count, first_s: first, last_s: last }) =>
      `- ${count} failed: ${reason}; sent ${first === last ? `at ${first} s` : `from ${first} s to ${last} s`}`,
  )
  const error = drill.error === null ? [] : ['', '```', drill.error, '```']
  return [
    `## ${drill.title}`,
    '',
    `\`bramble drill ${drill.name}\`: the longest gap began at ${drill.gap_at_s} s, the longest wait was ${drill.longest_wait_ms} ms. What HAProxy and Keepalived wrote: [${drill.name}.log](${drill.name}.log).`,
    '',
    ...events,
    ...failures,
    ...error,
    '',
  ].join('\n')
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('')
}
