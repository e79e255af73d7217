import { BrambleError, TaskError } from '../errors.ts'
import { UnknownFact } from '../playbook/facts.ts'
import { userFrame } from '../playbook/load.ts'
import type { Resource } from '../playbook/resource.ts'
import { Interrupted } from './interruption.ts'

/** An error with host, task and the place in the user's playbook. */
export function locate(error: unknown, host: string, resource?: Resource): BrambleError {
  const made = resource?.origin ?? error
  const at = made instanceof Error ? userFrame(made) : undefined
  const where = { host, ...(resource && { task: resource.title }), ...(at && { at }) }
  if (error instanceof Interrupted) return error
  if (error instanceof UnknownFact) {
    return new TaskError(
      `needs the ${error.key} of ${error.host}, which ${error.host} has not told in this run`,
      {
        ...where,
        next: `Is ${error.host} in --limit, and did it fail before?`,
      },
    )
  }
  if (error instanceof BrambleError) {
    const Kind = error.constructor as typeof BrambleError
    return new Kind(error.message, {
      ...error.details,
      ...where,
      ...(error.details.next && { next: error.details.next.replaceAll(/\bHOST\b/g, () => host) }),
      ...(error.details.at && { at: error.details.at }),
    })
  }
  return new TaskError(error instanceof Error ? error.message : String(error), { ...where, cause: error })
}
