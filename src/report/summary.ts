import type { Event, HostSummary } from '../engine/events.ts'
import { nameOf, reasonOf } from './run.ts'
import type { Failure, Run } from './run.ts'
import { clean, count, duration, indent, oneLine } from './text.ts'
import type { Paint } from './text.ts'

type Summary = Event & { type: 'summary' }

/** How many of the last lines of a failed task's output are shown. */
const tail = 20

/** The end of a report: a table of the hosts, the failures in full, and the total as its last line. */
export function summary(run: Run, event: Summary, paint: Paint): string {
  const parts = [table(event, paint), ...run.failures.map((failure) => failureText(failure, paint))]
  const hints = []
  if (event.stopped) hints.push(`stopped: ${clean(event.stopped)}`)
  if (run.failures.length > 0 && run.journal) hints.push(`journal: ${clean(run.journal)}`)
  if (event.retry) hints.push(`retry:   ${clean(event.retry)}`)
  if (hints.length > 0) parts.push(hints.join('\n'))
  parts.push(total(run, event, paint))
  return `\n${parts.filter(Boolean).join('\n\n')}\n`
}

function table(event: Summary, paint: Paint): string {
  const hosts = Object.entries(event.hosts)
  if (hosts.length === 0) return ''
  const header = ['host', 'ok', event.check ? 'would change' : 'changed', 'failed', 'skipped', 'time']
  const rows = hosts.map(([name, host]) => {
    return [name, host.ok, host.changed, host.failed, host.skipped, duration(host.ms)].map(String)
  })
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const align = (cells: string[]): string[] =>
    cells.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    )
  const styles = ['bold', 'green', 'yellow', 'red', 'dim', 'dim'] as const
  const lines = rows.map((row, index) => {
    const cells = align(row).map((cell, column) =>
      row[column] === '0' ? paint('dim', cell) : paint(styles[column] ?? 'dim', cell),
    )
    const note = noteOf(event, hosts[index]?.[1])
    return cells.join('  ') + (note ? `  ${paint('red', note)}` : '')
  })
  return [paint('dim', align(header).join('  ')), ...lines].join('\n')
}

function noteOf(event: Summary, host: HostSummary | undefined): string {
  if (!host) return ''
  if (host.unreachable) return 'unreachable'
  if (host.failed > 0) return 'failed'
  if (host.interrupted) return 'interrupted'
  const nothing = host.ok + host.changed + host.skipped === 0
  return nothing && !event.ok ? 'untouched' : ''
}

function failureText(failure: Failure, paint: Paint): string {
  const word = failure.interrupted ? 'stopped' : 'failed'
  const lines = [`${paint('red', word)} ${paint('bold', oneLine(nameOf(failure)))}`]
  const reason = clean(reasonOf(failure)).trimEnd()
  if (reason) lines.push(indent(reason, '  '))
  // Its end is in the reason already; all of it is in the journal.
  if (/^ {2}stderr:/m.test(reason)) return lines.join('\n')
  const printed = clean(failure.output).trimEnd().split('\n')
  if (printed.join('') === '') return lines.join('\n')
  const left = printed.length - tail
  lines.push(left > 0 ? `  output, without its first ${count(left, 'line')}:` : '  output:')
  lines.push(indent(printed.slice(-tail).join('\n'), '    '))
  return lines.join('\n')
}

function total(run: Run, event: Summary, paint: Paint): string {
  const hosts = Object.values(event.hosts)
  const changed = sum(hosts.map((host) => host.changed))
  const failed = hosts.filter((host) => host.failed > 0 && !host.unreachable).length
  const unreachable = hosts.filter((host) => host.unreachable).length
  const interrupted = hosts.filter((host) => host.interrupted).length
  const unknown = sum([...run.hosts.values()].map((host) => host.counts.unknown))
  const words = [event.check ? `${changed} would change` : `${changed} changed`]
  if (unknown > 0) words.push(`${unknown} unknown`)
  const first = `${words.join(', ')} in ${duration(event.ms)}`
  const rest = [count(hosts.length, 'host')]
  if (failed > 0) rest.push(`${failed} failed`)
  if (unreachable > 0) rest.push(`${unreachable} unreachable`)
  if (interrupted > 0) rest.push(`${interrupted} interrupted`)
  if (!event.wrote) rest.push('nothing was written')
  const line = `${first}, ${rest.join(', ')}`
  if (!event.ok) return paint('red', line)
  return paint(changed === 0 ? 'green' : 'yellow', line)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
