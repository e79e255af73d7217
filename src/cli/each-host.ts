import { limitHosts } from '../engine/run.ts'
import { BrambleError, ConnectionError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { redact } from '../secrets/secret.ts'
import { openSession, type Session } from '../ssh/session.ts'
import type { Target } from '../ssh/target.ts'
import { exit } from './exit.ts'
import { projectDirectory, reach, rootInventoryOf } from './project.ts'

/**
 * Does something on each host of a pattern, side by side; `work` returns whether it went well. Errors of a host are
 * told on stderr and leave the others alone. Exit codes: 2 when one failed, 4 when none could be reached.
 */
export async function eachHost(
  argv: { inventory: string; pattern: string; 'ask-become-pass': boolean },
  work: (host: Host, session: Session) => Promise<boolean>,
): Promise<void> {
  const hosts = limitHosts(await rootInventoryOf(argv), argv.pattern, '')
  const targetOf = await reach(projectDirectory(), hosts)
  const outcomes = await Promise.all(
    hosts.map((host) => workOn(targetOf(host), (session) => work(host, session))),
  )
  if (outcomes.every((outcome) => outcome === 'unreachable')) exit(4)
  else if (outcomes.some((outcome) => outcome !== 'done')) exit(2)
}

async function workOn(
  target: Target,
  work: (session: Session) => Promise<boolean>,
): Promise<'done' | 'failed' | 'unreachable'> {
  let session: Session | undefined
  try {
    session = await openSession(target)
    return (await work(session)) ? 'done' : 'failed'
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    process.stderr.write(`${redact(error.describe())}\n`)
    // One that was lost later, or did not answer in time, has been reached.
    return error instanceof ConnectionError && !session ? 'unreachable' : 'failed'
  } finally {
    session?.close()
  }
}
