import { BrambleError } from '../../src/errors.ts'
import type { Event, HostSummary } from '../../src/engine/events.ts'
import type { Measured } from './measure.ts'
import type { ToolName } from './tools.ts'

/** Errors: BrambleError when a run of a tool has not changed just so many things on each host. */
export function expectChanges(tool: ToolName, { stdout }: Measured, expected: number): void {
  if (tool === 'floor') return
  const found =
    tool === 'bramble'
      ? summaryOf(stdout).map((host) => host.changed)
      : [...stdout.matchAll(/^\S+ +: ok=\d+ +changed=(\d+) /gm)].map(([, changed]) => Number(changed))
  if (found.length > 0 && found.every((changed) => changed === expected)) return
  throw new BrambleError(`${tool} did something else than was to be measured`, {
    expected: `${expected} changes a host`,
    found: found.join(', '),
    stderr: stdout.slice(-2000),
  })
}

/** The round trips of the host that had most. */
export function tripsOf({ stdout }: Measured): number {
  return Math.max(...summaryOf(stdout).map((host) => host.trips))
}

function summaryOf(stdout: string): HostSummary[] {
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Event
  return last.type === 'summary' ? Object.values(last.hosts) : []
}
