import type { HostRun, Run } from './run.ts'
import { clock, oneLine } from './text.ts'
import type { Paint } from './text.ts'

/** What the live rows are drawn with. */
export interface Screen {
  /** Size of the terminal in characters. */
  columns: number
  rows: number
  /** Milliseconds since 1970. */
  now: number
  icons: { busy: string; done: string; failed: string; waiting: string }
  paint: Paint
}

/**
 * The rows of a run on the terminal: a heading and a row for each host. Where the terminal is too low for all,
 * the hosts that failed or are busy come first and the last row says how many are not shown. No row is wider
 * than the terminal less two columns, which listr2 keeps free.
 */
export function rows(run: Run, screen: Screen): string[] {
  const hosts = [...run.hosts]
  // One row stays free for the cursor.
  const space = Math.max(3, screen.rows - 1)
  const row = layout(run, screen)
  const head = heading(run, screen)
  if (hosts.length + 1 <= space) return [head, ...hosts.map(row)]
  const chosen = new Set(hosts.toSorted((a, b) => rank(a[1]) - rank(b[1])).slice(0, space - 2))
  const hidden = hosts.filter((host) => !chosen.has(host))
  return [head, ...hosts.filter((host) => chosen.has(host)).map(row), more(hidden, screen)]
}

function rank({ state, doing }: HostRun): number {
  return { failed: 0, unreachable: 0, busy: doing ? 1 : 2, waiting: 2, done: 3 }[state]
}

function heading(run: Run, { columns, now, paint }: Screen): string {
  const time = clock(now - run.start)
  const name = oneLine(
    [run.check ? `check ${run.playbook}` : run.playbook, run.play].filter(Boolean).join(' › '),
  )
  return `${paint('bold', cut(name, columns - 4 - time.length))}  ${paint('dim', time)}`
}

function layout(run: Run, { columns, now, icons, paint }: Screen): (host: [string, HostRun]) => string {
  const names = [...run.hosts.keys()].map((name) => name.length)
  const nameWidth = Math.min(Math.max(...names), Math.max(8, Math.floor(columns / 4)))
  const all = [...run.hosts.values()]
  const okWidth = Math.max(2, ...all.map(({ counts }) => String(counts.ok).length))
  const changedWidth = Math.max(2, ...all.map(({ counts }) => String(counts.changed).length))
  const changedWord = run.check ? 'to change' : 'changed'
  const anyFailed = all.some(({ counts }) => counts.failed > 0)

  return ([name, host]) => {
    const { ok, changed, failed } = host.counts
    const cells = [
      `${icon(host)} ${cut(name, nameWidth).padEnd(nameWidth)}`,
      number('green', ok, okWidth, 'ok'),
      number('yellow', changed, changedWidth, changedWord),
    ]
    if (anyFailed) cells.push(number('red', failed, 1, 'failed'))
    cells.push(paint('dim', elapsed(host).padStart(5)))
    const used =
      2 + nameWidth + okWidth + 5 + changedWidth + 3 + changedWord.length + (anyFailed ? 10 : 0) + 7
    const text = cut(activity(host), columns - 4 - used)
    return `${cells.join('  ')}  ${host.doing ? text : paint('dim', text)}`.trimEnd()
  }

  function number(style: 'green' | 'yellow' | 'red', value: number, width: number, word: string): string {
    return paint(value === 0 ? 'dim' : style, `${String(value).padStart(width)} ${word}`)
  }

  function icon({ state, doing }: HostRun): string {
    if (state === 'done') return paint('green', icons.done)
    if (state === 'failed' || state === 'unreachable') return paint('red', icons.failed)
    return doing ? paint('cyan', icons.busy) : paint('dim', icons.waiting)
  }

  /** How long it has been at what it does now, or how long its part took. */
  function elapsed(host: HostRun): string {
    if (host.took !== undefined) return clock(host.took)
    return host.doing ? clock(now - host.doing.since) : ''
  }
}

function activity({ state, doing }: HostRun): string {
  if (doing) return oneLine(doing.what)
  if (state === 'busy') return 'waiting'
  return state === 'done' ? '' : state
}

function more(hidden: [string, HostRun][], { columns, paint }: Screen): string {
  const states = ['failed', 'unreachable', 'busy', 'waiting', 'done'] as const
  const counts = states
    .map((state) => [hidden.filter(([, host]) => host.state === state).length, state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`)
  return paint('dim', cut(`… ${hidden.length} more: ${counts.join(', ')}`, columns - 2))
}

function cut(text: string, width: number): string {
  const chars = Array.from(text)
  return chars.length <= width ? text : `${chars.slice(0, Math.max(0, width - 1)).join('')}…`
}
