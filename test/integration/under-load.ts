import assert from 'node:assert/strict'
import type { Event } from '../../src/engine/events.ts'
import { startLoad, type LoadOptions } from '../../src/drill/load.ts'
import { measure } from '../../src/drill/measure.ts'
import { interrupted, type Choice } from './interrupted.ts'

interface Asked extends Pick<LoadOptions, 'via' | 'every'> {
  url: string
  /** The project that the command is run in. */
  folder: string
  /** The steps at which the program is killed, and run again. */
  chosen: Choice
  /**
   * How many requests may be cut. Default 0. Where the swarm replaces the Keepalived that holds the address, who has
   * just connected and not yet asked gets no answer: unlike `vipReleased()`, nothing holds connections back meanwhile.
   */
  cut?: number
  /** The exit code that it ends with. Default 0. */
  code?: number
}

const CUT = 'connection ended while waiting for the answer'

/** Runs a command to its end while a site is asked all the time, which answers always; what all its runs told. */
export async function underLoad(
  command: readonly string[],
  { url, folder, chosen, cut = 0, code = 0, ...options }: Asked,
): Promise<Event[]> {
  // A kept connection does not outlive a move of the address that it goes to.
  const load = startLoad([url], { ...options, kept: 0 })
  const began = Date.now()
  const { killed, last, events } = await interrupted(command, folder, chosen)
  const samples = await load.stop()
  const ended = Date.now()
  const { requests, failed, slowest, gap, failures } = measure(samples, began, ended)
  for (const step of killed) console.log(`      killed at ${step}`)
  const seconds = Math.round((ended - began) / 1000)
  console.log(
    `      ${requests} requests in ${seconds} s, ${failed} failed, slowest ${slowest} ms, gap ${gap} ms`,
  )
  const reasons = last.events.filter(({ type }) => type === 'failed')
  assert.equal(last.code, code, JSON.stringify(reasons) + last.stderr)
  const others = failures.filter(({ reason }) => reason !== CUT)
  assert.deepEqual(others, [])
  assert.ok(failed <= cut, `${failed} requests were cut: ${JSON.stringify(failures)}`)
  return events
}
