/** A request, as its client saw it. */
export interface Sample {
  /** `new`: it made a connection of its own. `kept`: it went over one that is kept open for many. */
  kind: 'new' | 'kept'
  url: string
  /** When it was sent, in milliseconds since 1970. */
  at: number
  /** Milliseconds until its answer was whole, or until it failed. */
  ms: number
  /** Why it failed. */
  error?: string
  /** The kept connection had ended; sent once more over a new one, as browsers do. */
  again?: true
  /** What the site said it served: `nfs` or `mirror`. */
  content?: string
  /** The web server that the answer came from. */
  node?: string
}

/** Failed requests with the same reason. */
export interface Failure {
  reason: string
  count: number
  /** When the first and the last were sent, in milliseconds since 1970. */
  first: number
  last: number
}

export interface Measured {
  /** Over new connections. */
  requests: number
  failed: number
  /** Milliseconds between two answers in succession, at most. */
  gap: number
  /** When that began, in milliseconds since 1970. */
  gapAt: number
  /** Milliseconds that somebody waited at most, for an answer or for an error. */
  slowest: number
  /** Over kept connections; `again` counts those that were sent once more. */
  kept: { requests: number; again: number; failed: number; slowest: number }
  /** The most frequent first. */
  failures: Failure[]
}

/**
 * What clients saw of a site between two points in time, in milliseconds since 1970: requests that were sent then, or
 * under way when it began. The gap is between answers to new connections, and reaches to the ends of that time.
 *
 * @example measure(samples, began, ended).gap // 914
 */
export function measure(samples: readonly Sample[], from: number, to: number): Measured {
  const sent = samples.filter(({ at, ms }) => at + ms >= from && at < to)
  const fresh = sent.filter(({ kind }) => kind === 'new')
  const kept = sent.filter(({ kind }) => kind === 'kept')
  return {
    requests: fresh.length,
    failed: fresh.filter(hasFailed).length,
    ...longestGap(samples, from, to),
    slowest: slowest(fresh),
    kept: {
      requests: kept.length,
      again: kept.filter(({ again }) => again).length,
      failed: kept.filter(hasFailed).length,
      slowest: slowest(kept),
    },
    failures: failures(sent),
  }
}

/** Requests over new connections in a second. */
export interface Second {
  answered: number
  failed: number
}

/** For each second between two points in time, what became of the requests that were sent in it. */
export function perSecond(samples: readonly Sample[], from: number, to: number): Second[] {
  const seconds = Array.from({ length: Math.ceil((to - from) / 1000) }, () => ({ answered: 0, failed: 0 }))
  for (const sample of samples) {
    const second = sample.kind === 'new' ? seconds[Math.floor((sample.at - from) / 1000)] : undefined
    if (second) second[hasFailed(sample) ? 'failed' : 'answered'] += 1
  }
  return seconds
}

function hasFailed({ error }: Sample): boolean {
  return error !== undefined
}

function longestGap(samples: readonly Sample[], from: number, to: number): { gap: number; gapAt: number } {
  const answers = samples
    .filter((sample) => sample.kind === 'new' && !hasFailed(sample))
    .map(({ at, ms }) => at + ms)
    .filter((time) => time >= from && time < to)
    .toSorted((one, other) => one - other)
  let last = from
  let longest = { gap: 0, gapAt: from }
  for (const time of [...answers, to]) {
    if (time - last > longest.gap) longest = { gap: Math.round(time - last), gapAt: last }
    last = time
  }
  return longest
}

function slowest(samples: readonly Sample[]): number {
  return Math.round(samples.reduce((most, { ms }) => Math.max(most, ms), 0))
}

function failures(samples: readonly Sample[]): Failure[] {
  const found = new Map<string, Failure>()
  for (const { error, kind, at } of samples) {
    if (error === undefined) continue
    const reason = kind === 'kept' ? `${error} (kept connection)` : error
    const failure = found.get(reason) ?? { reason, count: 0, first: at, last: at }
    failure.count += 1
    failure.first = Math.min(failure.first, at)
    failure.last = Math.max(failure.last, at)
    found.set(reason, failure)
  }
  return [...found.values()].toSorted((one, other) => other.count - one.count)
}
