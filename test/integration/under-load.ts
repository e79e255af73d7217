import assert from 'node:assert/strict'
import type { Event } from '../../src/engine/events.ts'
import { startLoad, type LoadOptions } from '../../src/drill/load.ts'
import { measure } from '../../src/drill/measure.ts'
import { interrupted, type Choice } from './interrupted.ts'

interface Site extends Pick<LoadOptions, 'via' | 'every'> {
  url: string
}

interface Asked extends Site {
  /** The project that the command is run in. */
  folder: string
  /** The steps at which the program is killed, and run again. Default: none. */
  chosen?: Choice
  /** The exit code that it ends with. Default 0. */
  code?: number
}

/** Runs a command to its end while a site is asked all the time, which answers always; what all its runs told. */
export async function underLoad(
  command: readonly string[],
  { folder, chosen, code = 0, ...site }: Asked,
): Promise<Event[]> {
  const { killed, last, events } = await alwaysAnswered(site, () =>
    interrupted(command, folder, chosen ?? (() => false)),
  )
  for (const step of killed) console.log(`      killed at ${step}`)
  assert.ok(chosen === undefined || killed.length > 0, 'it was never killed')
  const reasons = last.events.filter(({ type }) => type === 'failed')
  assert.equal(last.code, code, JSON.stringify(reasons) + last.stderr)
  return events
}

/** Does something while a site is asked all the time, and no request fails. */
export async function alwaysAnswered<Done>(
  { url, ...options }: Site,
  work: () => Promise<Done>,
): Promise<Done> {
  // A kept connection does not outlive a move of the address that it goes to.
  const load = startLoad([url], { ...options, kept: 0 })
  const began = Date.now()
  // Its end is waited for, or the load would outlive the test.
  const [done] = await Promise.allSettled([work()])
  const ended = Date.now()
  const samples = await load.stop()
  const { requests, failed, slowest, gap } = measure(samples, began, ended)
  const seconds = Math.round((ended - began) / 1000)
  console.log(
    `      ${requests} requests in ${seconds} s, ${failed} failed, slowest ${slowest} ms, gap ${gap} ms`,
  )
  if (done.status === 'rejected') throw done.reason
  assert.ok(requests > 0, 'nobody asked')
  const failures = samples.filter(({ error }) => error !== undefined)
  assert.deepEqual(
    failures.map(({ at, ms, error }) => `${new Date(at).toISOString()}: ${error} after ${ms} ms`),
    [],
  )
  return done.value
}
