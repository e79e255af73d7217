/** What an error may say besides its message; each part is printed on a line of its own when it is there. */
export interface ErrorDetails {
  /** Where the user wrote the cause: `playbooks/site.ts:12:3`. */
  at?: string
  host?: string
  task?: string
  expected?: string
  found?: string
  /** What a command printed on stderr; the last lines are shown. */
  stderr?: string
  /** All that a command printed; for the journal, no part of the message. */
  output?: string
  /** What to do next. `HOST` stands for the host, where who wrote it does not know its name. */
  next?: string
  cause?: unknown
}

/** The root of bramble's errors: a sentence, and the details that help to act on it. */
export class BrambleError extends Error {
  override name = 'BrambleError'
  readonly details: ErrorDetails

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.details = details
  }

  /** The error as a user reads it, over several lines. */
  describe(): string {
    const { at, host, task, expected, found, stderr, next } = this.details
    const where = [host, task].filter((part) => part !== undefined).join(': ')
    const lines = [where ? `${where}: ${this.message}` : this.message]
    if (at) lines.push(`  at ${at}`)
    if (expected) lines.push(`  expected: ${indent(expected)}`)
    if (found) lines.push(`  found:    ${indent(found)}`)
    if (stderr?.trim()) lines.push(`  stderr:   ${indent(lastLines(stderr, 8))}`)
    if (next) lines.push(`  next:     ${indent(next)}`)
    return lines.join('\n')
  }
}

/** Bad input: a playbook, an inventory, a flag, a template. Found before any connection is opened; exit code 1. */
export class InputError extends BrambleError {
  override name = 'InputError'
}

/** A host could not be reached or the connection to it was lost: nothing is known of what was under way. */
export class ConnectionError extends BrambleError {
  override name = 'ConnectionError'
}

/** A host is there, but did not answer in time: it hangs, or is too slow. */
export class TimeoutError extends ConnectionError {
  override name = 'TimeoutError'
}

/** A task failed on a host, or could not be begun there because sudo refused. */
export class TaskError extends BrambleError {
  override name = 'TaskError'
}

function indent(text: string): string {
  return text.trimEnd().replaceAll('\n', '\n            ')
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
