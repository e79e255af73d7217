import type { Event, Status } from '../engine/events.ts'
import { follow, reasonOf } from './run.ts'
import type { Run } from './run.ts'
import { clean, count, duration, indent, oneLine, paintDiff } from './text.ts'
import type { Paint, ReportOptions } from './text.ts'

type TaskEvent = Event & { type: 'task' }

/** What stands between a host and the text of its line. */
type Word = Status | 'unreachable' | 'stopped' | 'trip' | ''

/** What is told of each event as it comes. */
export interface Told {
  /** Changes and what is unknown; failures always are. */
  changes: boolean
  /** Announce a play when it begins; otherwise when there is something to say of it. */
  plays: boolean
}

/**
 * Follows a run and turns each event into the lines that stay on the screen: plays, changes, failures, diffs.
 * Returns '' for an event that says nothing, else text that ends with a line feed.
 */
export function entries(
  run: Run,
  options: Pick<ReportOptions, 'diff' | 'verbose'>,
  paint: Paint,
  told: (run: Run) => Told,
): (event: Event) => string {
  let heading: string | undefined
  // The first host that showed a diff, by task and diff: the others refer to it.
  let shown = new Map<string, string>()

  function play(name: string): string {
    if (heading === name) return ''
    heading = name
    shown = new Map()
    return `${paint('bold', `play ${oneLine(name)}`)}\n`
  }

  /** The diff, and what the task's own line says of it. */
  function diff(event: TaskEvent): [note: string, block: string] {
    if (!options.diff || !event.diff?.trim()) return ['', '']
    const key = `${event.title}\n${event.diff}`
    const first = shown.get(key)
    if (first !== undefined && first !== event.host) return [paint('dim', ` (same diff as ${first})`), '']
    shown.set(key, event.host)
    return ['', `${indent(paintDiff(event.diff, paint), '    ')}\n`]
  }

  function output(event: TaskEvent): string {
    if (options.verbose < 2 || !event.output?.trim() || event.status === 'failed') return ''
    return `${indent(clean(event.output).trimEnd(), '    | ')}\n`
  }

  function task(event: TaskEvent): string {
    if (!wanted(event.status)) return ''
    const reason = event.reason ? `: ${firstLine(reasonOf({ ...event, reason: event.reason }))}` : ''
    const time = event.ms >= 1000 ? paint('dim', ` (${duration(event.ms)})`) : ''
    // Before the diff: a new play forgets the diffs of the last.
    const announced = play(event.play)
    const [note, block] = diff(event)
    const text = `${oneLine(event.title)}${reason}${time}${note}`
    return announced + line(event.host, event.status, text) + block + output(event)
  }

  function wanted(status: Status): boolean {
    if (status === 'failed') return true
    if (status === 'ok' || status === 'skipped') return options.verbose >= 1
    return told(run).changes
  }

  function line(host: string, status: Word, text: string): string {
    const width = Math.max(...[...run.hosts.keys()].map((name) => name.length))
    const word = run.check && status === 'changed' ? 'would change' : status
    const padded = word.padEnd(run.check ? 12 : 11)
    return `${host.padEnd(width)}  ${paint(styleOf(status), padded)}  ${text}`.trimEnd() + '\n'
  }

  return (event) => {
    const failure = follow(run, event)
    if (event.type === 'play' && told(run).plays) return play(event.play)
    if (event.type === 'task') return task(event)
    if (event.type === 'interrupted') return interrupted(event.finishing)
    if (event.type === 'failed' && failure) {
      const word = event.interrupted ? 'stopped' : event.unreachable ? 'unreachable' : 'failed'
      return line(event.host, word, firstLine(reasonOf(event)))
    }
    if (options.verbose < 2) return ''
    if (event.type === 'connected') return line(event.host, '', `connected in ${duration(event.ms)}`)
    if (event.type === 'doing') return line(event.host, '', oneLine(event.what))
    if (event.type === 'trip') {
      const there = `${duration(event.remoteMs)} of it on the host`
      return line(event.host, 'trip', `${count(event.probes, 'probe')} in ${duration(event.ms)}, ${there}`)
    }
    return ''
  }
}

function interrupted(finishing: Readonly<Record<string, string>>): string {
  const steps = Object.entries(finishing).map(([host, title]) => `\n  ${host}: ${oneLine(title)}`)
  if (steps.length === 0) return 'interrupted: no step is under way\n'
  return `interrupted: finishing what is under way; interrupt again to end at once${steps.join('')}\n`
}

function styleOf(word: Word): Parameters<Paint>[0] {
  if (word === 'changed' || word === 'unknown' || word === 'stopped') return 'yellow'
  if (word === 'failed' || word === 'unreachable') return 'red'
  return word === 'ok' ? 'green' : 'dim'
}

function firstLine(text: string): string {
  return oneLine(text.trim().split('\n')[0] ?? '')
}
