import { BrambleError } from '../errors.ts'
import type { Mark, Recorded } from './bounds.ts'
import type { Drill } from './catalogue.ts'
import { missing, shapeOf } from './health.ts'
import type { Load } from './load.ts'
import { balancerLogs, type LogLine } from './logs.ts'
import { measure, perSecond } from './measure.ts'
import type { DrillResult } from './result.ts'
import { settle } from './settle.ts'
import { Stage, Stopped, type Access } from './stage.ts'

/** Seconds of load before something happens, so that it can be seen how it was. */
const BEFORE = 5

/**
 * Runs one drill under load. Whatever happens, what was cut is put back before this returns. Undefined: interrupted.
 *
 * Errors: BrambleError when the cluster is not whole to begin with and does not become so (`settle`), or when it was
 * interrupted and not all could be put back. What goes wrong in the drill itself is in its result.
 */
export async function runDrill(
  drill: Drill,
  access: Access,
  begin: () => Load,
  tell: (mark: Mark, began: number) => void,
): Promise<DrillResult | undefined> {
  const asked = Date.now()
  const status = await settle(access, (what) => {
    tell({ at: Date.now(), what, kind: 'note', hosts: [] }, asked)
  })
  if (access.signal.aborted) return undefined
  const before = shapeOf(status)
  const load = begin()
  const began = Date.now()
  const stage = new Stage(access, { before, samples: load.samples, tell: (mark) => tell(mark, began) })
  let error: BrambleError | undefined
  try {
    await stage.hold(BEFORE)
    await drill.run(stage)
  } catch (cause) {
    if (!(cause instanceof BrambleError || cause instanceof Stopped)) throw cause
    if (cause instanceof BrambleError) error = cause
  } finally {
    await stage.end().catch((cause: unknown) => {
      error = both(error, cause as BrambleError)
    })
  }
  const ended = Date.now()
  const samples = await load.stop()
  if (access.signal.aborted) {
    if (error) throw error
    return undefined
  }
  // Without an error, the drill has waited for it.
  const asBefore = error === undefined || missing(before, await access.look()).length === 0
  const recorded: Recorded = { samples, began, ended, marks: stage.marks, figures: stage.figures }
  const log = await balancerLogs(access, began)
  return resultOf(drill, recorded, { redundant: stage.redundant, error, asBefore, log })
}

function both(first: BrambleError | undefined, then: BrambleError): BrambleError {
  if (!first) return then
  return new BrambleError(then.message, {
    ...then.details,
    found: `${then.details.found}\n${first.describe()}`,
  })
}

interface Outcome {
  redundant: number | undefined
  error: BrambleError | undefined
  asBefore: boolean
  log: readonly LogLine[]
}

function resultOf(
  drill: Drill,
  recorded: Recorded,
  { redundant, error, asBefore, log }: Outcome,
): DrillResult {
  const { samples, began, ended, marks, figures } = recorded
  // Times are told from when something was first done.
  const event = marks[0]?.at ?? began
  const seconds = (at: number) => Math.round((at - event) / 10) / 100
  const { gap, gapAt, failures, ...measured } = measure(samples, began, ended)
  const bounds = drill.bounds.map((bound) => {
    const { what, limit, unit } = bound
    const found = bound.find(recorded) ?? null
    return { what, limit, unit, found, ok: found !== null && found <= limit }
  })
  return {
    name: drill.name,
    title: drill.title,
    ok: error === undefined && bounds.every(({ ok }) => ok),
    skipped: null,
    error: error?.describe() ?? null,
    requests: measured.requests,
    failed: measured.failed,
    longest_gap_ms: gap,
    gap_at_s: seconds(gapAt),
    longest_wait_ms: measured.slowest,
    kept: measured.kept,
    redundant_s: redundant === undefined ? null : Math.round(redundant * 10) / 10,
    as_before: asBefore,
    figures,
    bounds,
    failures: failures.map(({ reason, count, first, last }) => ({
      reason,
      count,
      first_s: seconds(first),
      last_s: seconds(last),
    })),
    log: log.map(({ at, ...line }) => ({ at_s: seconds(at), ...line })),
    marks: marks.map(({ at, what, kind }) => ({ at_s: seconds(at), what, kind })),
    from_s: seconds(began),
    per_second: perSecond(samples, began, ended).map(({ answered, failed }) => [answered, failed]),
  }
}
