import { setTimeout as pause } from 'node:timers/promises'
import { BrambleError } from '../errors.ts'

/**
 * Asks again and again until the answer is yes. `deadline` and `every` are milliseconds.
 *
 * Errors: BrambleError naming `what` when the deadline has passed.
 */
export async function until(
  what: string,
  deadline: number,
  isSo: () => boolean | Promise<boolean>,
  every = 100,
): Promise<void> {
  const end = performance.now() + deadline
  while (!(await isSo())) {
    if (performance.now() > end) {
      throw new BrambleError(`waited in vain for ${what}`, { expected: `within ${deadline / 1000} s` })
    }
    await pause(every)
  }
}
