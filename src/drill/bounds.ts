import { measure, type Sample } from './measure.ts'

/**
 * A point on a drill's time line: the site may lose something now (`down`), or has it back (`back`); the virtual address
 * was last seen away from where it belongs (`return`).
 */
export interface Mark {
  /** Milliseconds since 1970. */
  at: number
  what: string
  kind: 'down' | 'back' | 'return' | 'note'
  /** Whom it happens to. */
  hosts: readonly string[]
}

/** What was seen of a drill. */
export interface Recorded {
  samples: readonly Sample[]
  /** When the first request was sent, and when the drill was over, in milliseconds since 1970. */
  began: number
  ended: number
  marks: readonly Mark[]
  /** Further figures, by name. */
  figures: Readonly<Record<string, number>>
}

/** What a drill must not exceed. */
export interface Bound {
  what: string
  limit: number
  /** Of the limit and of what is found; none for numbers of requests. */
  unit: 'ms' | 's' | ''
  /** Undefined when it never came to that. */
  find(recorded: Recorded): number | undefined
}

/** A part of a drill: from the first mark of this kind, or a time in milliseconds after it. */
interface Part {
  from?: Mark['kind']
  after?: number
  until?: Mark['kind']
}

/** The longest time between two answers, in milliseconds. */
export function longestGap(limit: number, part: Part = {}): Bound {
  return bound(`longest gap${words(part)}`, limit, 'ms', part, ({ gap }) => gap)
}

/** No request over a new connection fails, and none over a kept one that a browser would not send again. */
export function noneFailed(part: Part = {}): Bound {
  return bound(`failed${words(part)}`, 0, '', part, ({ failed, kept }) => failed + kept.failed)
}

/** Nobody waits longer, for an answer or an error, in milliseconds. */
export function longestWait(limit: number): Bound {
  return bound('longest wait', limit, 'ms', {}, ({ slowest, kept }) => Math.max(slowest, kept.slowest))
}

/** Answers of other nodes than the one that is away, which has the share itself, that were not from their mirrors. */
export function onlyMirrored(part: Part): Bound {
  return {
    what: `answers not from a mirror${words(part)}`,
    limit: 0,
    unit: '',
    find(recorded) {
      const [from, to] = timesOf(part, recorded)
      const answered = recorded.samples.filter(
        ({ at, error }) => at >= from && at < to && error === undefined,
      )
      const away = recorded.marks.find(({ kind }) => kind === part.from)?.hosts ?? []
      return answered.filter(({ content, node = '' }) => content !== 'mirror' && !away.includes(node)).length
    },
  }
}

/** Seconds from the return of the share until the last of the other nodes has answered from it. */
export function servedAgain(limit: number): Bound {
  return {
    what: 'share served again',
    limit,
    unit: 's',
    find({ samples, marks }) {
      const back = marks.find(({ kind }) => kind === 'back')?.at
      if (back === undefined) return undefined
      const away = marks.find(({ kind }) => kind === 'down')?.hosts ?? []
      const since = samples.filter(({ at, node }) => at >= back && node !== undefined && !away.includes(node))
      const firsts = [...new Set(since.map(({ node }) => node))].map((name) =>
        since.find(({ node, content }) => node === name && content === 'nfs'),
      )
      const times = firsts.map((first) => (first ? first.at + first.ms : Infinity))
      const last = Math.max(...times)
      return Number.isFinite(last) ? (last - back) / 1000 : undefined
    },
  }
}

/** One of the drill's own figures, in seconds. */
export function figure(name: string, limit: number): Bound {
  return { what: name, limit, unit: 's', find: ({ figures }) => figures[name] }
}

function bound(
  what: string,
  limit: number,
  unit: Bound['unit'],
  part: Part,
  value: (measured: ReturnType<typeof measure>) => number,
): Bound {
  const find = (recorded: Recorded) => value(measure(recorded.samples, ...timesOf(part, recorded)))
  return { what, limit, unit, find }
}

function timesOf({ from, after = 0, until }: Part, recorded: Recorded): [from: number, to: number] {
  const time = (kind: Mark['kind'] | undefined) => recorded.marks.find((mark) => mark.kind === kind)?.at
  return [(time(from) ?? recorded.began) + after, time(until) ?? recorded.ended]
}

function words({ from, after, until }: Part): string {
  const later = after === undefined ? '' : ` from ${after / 1000} s on`
  if (from === 'return') return ' as the virtual IP returns'
  return until === 'back' ? `${later} while it is away` : later
}
