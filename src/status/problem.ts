import type { Answers } from './answers.ts'
import type { Commands } from './commands.ts'
import type { ClusterStatus, Problem } from './types.ts'

/** What problems are found in. */
export interface Findings {
  answers: Answers
  status: Omit<ClusterStatus, 'ok' | 'problems'>
  commands: Commands
  /** Milliseconds since 1970. */
  now: number
}

/** Something that is wrong on these hosts, and the commands that mend it or tell more. */
export function problem(
  hosts: readonly string[],
  what: string,
  commands: readonly string[],
  next?: string,
): Problem {
  return { hosts: [...hosts], what, next: next ?? null, commands: [...commands] }
}
