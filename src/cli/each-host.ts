import { limitHosts } from '../engine/run.ts'
import { BrambleError, ConnectionError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { redact } from '../secrets/secret.ts'
import { openSession, type Session } from '../ssh/session.ts'
import { exit } from './exit.ts'
import { inventoryOf, projectDirectory, target } from './project.ts'

/**
 * Does something on each host of a pattern, side by side; `work` returns whether it went well. Errors of a host are
 * told on stderr and leave the others alone. Exit codes: 2 when one failed, 4 when none could be reached.
 */
export async function eachHost(
  { inventory, pattern }: { inventory: string; pattern: string },
  work: (host: Host, session: Session) => Promise<boolean>,
): Promise<void> {
  const hosts = limitHosts(await inventoryOf(inventory), pattern, '')
  const outcomes = await Promise.all(hosts.map((host) => workOn(host, work)))
  if (outcomes.every((outcome) => outcome === 'unreachable')) exit(4)
  else if (outcomes.some((outcome) => outcome !== 'done')) exit(2)
}

async function workOn(
  host: Host,
  work: (host: Host, session: Session) => Promise<boolean>,
): Promise<'done' | 'failed' | 'unreachable'> {
  try {
    const session = await openSession(target(projectDirectory(), host))
    try {
      return (await work(host, session)) ? 'done' : 'failed'
    } finally {
      session.close()
    }
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    process.stderr.write(`${redact(error.describe())}\n`)
    return error instanceof ConnectionError ? 'unreachable' : 'failed'
  }
}
