import { median } from './measure.ts'
import { toolNames, type ToolName } from './tools.ts'

/** Seconds of each round. */
export type Times = Partial<Record<ToolName, number[]>>

/** What the ratio of two medians, or a number of its own, has to reach. */
export type Target =
  | { ratio: readonly [ToolName, ToolName]; atMost: number }
  | { ratio: readonly [ToolName, ToolName]; atLeast: number }
  | { text: string; reached: boolean }

export interface Result {
  title: string
  hosts?: number
  times: Times
  targets: readonly Target[]
  notes?: readonly string[]
}

const columns = ['case', 'hosts', ...toolNames, 'ratio of medians', 'to reach'] as const

/** A table in Markdown: median, and in brackets least, most and rounds. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ title, hosts, times, targets, notes = [] }) => [
    title,
    hosts === undefined ? '' : String(hosts),
    ...toolNames.map((name) => cellOf(times[name])),
    [...ratiosOf(times), ...notes].join('<br>'),
    targets.map((target) => describe(target, times)).join('<br>'),
  ])
  const rule = columns.map(() => '---')
  return [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function cellOf(seconds: readonly number[] | undefined): string {
  if (seconds === undefined || seconds.length === 0) return ''
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map(rounded)
  return `${rounded(median(seconds))} s (${least}–${most}, ${seconds.length})`
}

function ratiosOf(times: Times): string[] {
  const pairs = [
    ['bramble', 'floor'],
    ['ansible', 'bramble'],
    ['mitogen', 'bramble'],
  ] as const
  return pairs.flatMap(([one, other]) => {
    const ratio = ratioOf(times, one, other)
    return ratio === undefined ? [] : [`${one} ${rounded(ratio)} × ${other}`]
  })
}

function describe(target: Target, times: Times): string {
  if ('text' in target) return `${target.text}: ${target.reached ? 'yes' : 'no'}`
  const [one, other] = target.ratio
  const wanted = 'atMost' in target ? `≤ ${rounded(target.atMost)} ×` : `≥ ${rounded(target.atLeast)} ×`
  const ratio = ratioOf(times, one, other)
  if (ratio === undefined) return `${one} ${wanted} ${other}: not measured`
  const reached = 'atMost' in target ? ratio <= target.atMost : ratio >= target.atLeast
  return `${one} ${wanted} ${other}: ${reached ? 'yes' : 'no'}`
}

function ratioOf(times: Times, one: ToolName, other: ToolName): number | undefined {
  const [above, below] = [times[one], times[other]]
  if (above === undefined || below === undefined || above.length === 0 || below.length === 0) return undefined
  return median(above) / median(below)
}

function rounded(value: number): string {
  return value >= 20 ? value.toFixed(0) : value >= 2 ? value.toFixed(1) : value.toFixed(2)
}
