import { BrambleError } from '../errors.ts'

/** The user asked to stop: the step under way was finished, no other begun. */
export class Interrupted extends BrambleError {
  override name = 'Interrupted'
}

/** Waits for what only reads or waits itself, unless the user asks to stop: then it is left alone. Errors: Interrupted. */
export function unlessInterrupted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Interrupted('interrupted'))
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}
