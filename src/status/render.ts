import { stripVTControlCharacters } from 'node:util'
import { count, oneLine, type Paint } from '../report/text.ts'
import { nodeColumns, webColumns } from './columns.ts'
import { stamp } from './stamp.ts'
import { tables, wrap, type Cell } from './table.ts'
import type { ClusterStatus } from './types.ts'

/** What a status is drawn on. */
export interface Screen {
  /** Width in characters. */
  columns: number
  /** Height, where only so much can be shown: what does not fit is left out then, problems last. */
  rows?: number
  paint: Paint
}

/** The status as lines of text: one screen for a small cluster, even on a terminal of 80 by 24. */
export function render(status: ClusterStatus, { columns, rows, paint }: Screen): string[] {
  const name = {
    title: 'node',
    cells: status.nodes.map((node) => ({ text: node.name, style: 'bold' as const })),
  }
  const groups = [nodeColumns(status), webColumns(status)]
  const middle = tables(name, groups, columns, paint).flatMap((lines) => ['', ...lines])
  const [top, bottom] = [head(status, columns, paint), problems(status, columns, paint)]
  if (rows === undefined) return [...top, ...middle, ...bottom]
  const space = rows - height(top, columns)
  const tail = cut(bottom, space, columns)
  return [...top, ...cut(middle, space - height(tail, columns), columns), ...tail]
}

function head(status: ClusterStatus, width: number, paint: Paint): string[] {
  const { problems: found, vip, services } = status
  const verdict: Cell = status.ok
    ? { text: 'all is well', style: 'green' }
    : { text: count(found.length, 'problem'), style: 'red' }
  const time = stamp(status.time, true)
  const gap = width - 11 - verdict.text.length - time.length
  const held = vip.holders.length === 1
  const holders: Cell = held
    ? { text: vip.holders[0] ?? '', style: 'bold' }
    : { text: vip.holders.join(' AND ') || 'no host that was asked', style: 'red' }
  const running = (services ?? []).map(({ name, running, desired, settled }): Cell => ({
    text: `${oneLine(name)} ${running}/${desired} `,
    ...(!settled && { style: 'red' as const }),
  }))
  const none: Cell = { text: services ? 'none' : 'no manager told', style: services ? 'red' : 'dim' }
  const line = (label: string, words: Cell[]): string[] =>
    wrap([{ text: label.padEnd(10), style: 'dim' }, ...words], width, ' '.repeat(11), paint)
  return [
    `${paint('bold', oneLine(status.stack).padEnd(10))} ${paint(verdict.style ?? 'dim', verdict.text)}${gap < 2 ? '' : ' '.repeat(gap) + paint('dim', time)}`,
    ...line('virtual IP', [{ text: `${vip.address} on` }, holders]),
    ...line('services', running.length > 0 ? running : [none]),
    ...versions(status).flatMap((text, index) => line(index === 0 ? 'versions' : '', wordsOf(text))),
  ].map((text) => text.trimEnd())
}

/** A line for each set of versions, with the nodes that have it if there are several. */
function versions({ nodes }: ClusterStatus): string[] {
  const sets = new Map<string, string[]>()
  for (const { name, os, kernel, docker, reachable } of nodes) {
    if (!reachable) continue
    // Debian GNU/Linux 12 (bookworm)
    const system = oneLine(os ?? '').replace(/ GNU\/Linux| \(.*\)/g, '')
    const engine = docker === null ? [] : [`Docker ${oneLine(docker)}`]
    const text = [system || '?', `Linux ${oneLine(kernel ?? '?')}`, ...engine].join(', ')
    sets.set(text, [...(sets.get(text) ?? []), name])
  }
  return [...sets].map(([text, names]) => (sets.size === 1 ? text : `${text}: ${names.join(', ')}`))
}

function problems(status: ClusterStatus, width: number, paint: Paint): string[] {
  if (status.problems.length === 0) return []
  const lines = status.problems.flatMap(({ what, next, commands }) => {
    const words = wordsOf(oneLine(next === null ? what : `${what}. ${next}`))
    return [
      ...wrap([{ text: '✖', style: 'red' }, ...words], width, '  ', paint),
      // In one piece, whatever its length: it is there to be copied.
      ...commands.map((command) => `  ${paint('cyan', oneLine(command))}`),
    ]
  })
  return ['', paint('dim', 'problems'), ...lines]
}

function wordsOf(text: string): Cell[] {
  return text.split(' ').map((word) => ({ text: word }))
}

/** As many lines as there is space for; if some are left out, the last one says how many. */
function cut(lines: readonly string[], space: number, width: number): string[] {
  if (height(lines, width) <= space) return [...lines]
  const kept: string[] = []
  for (const line of lines) {
    if (height([...kept, line], width) > space - 1) break
    kept.push(line)
  }
  const more = `… ${count(lines.length - kept.length, 'more line')}`
  return space < 1 ? [] : [...kept, more]
}

/** Rows of the terminal that lines take: the long ones wrap. */
function height(lines: readonly string[], width: number): number {
  return lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / width)),
    0,
  )
}
