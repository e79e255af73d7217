import { InputError } from '../errors.ts'
import { Secret } from '../secrets/secret.ts'

/**
 * Asks for a password without showing it. Errors: InputError when stdin is no terminal; `next` is its advice.
 */
export async function askPassword(question: string, next = ''): Promise<Secret> {
  const { stdin, stderr } = process
  if (!stdin.isTTY) {
    throw new InputError('there is no terminal to ask for the password', {
      ...(next && { next }),
    })
  }
  stderr.write(question)
  stdin.setRawMode(true)
  let typed = ''
  try {
    // Left open: there may be another question.
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const key of String(chunk)) {
        if (key === '\r' || key === '\n') return new Secret(typed)
        if (key === '\u0003') throw new InputError('interrupted')
        typed = key === '\u007F' ? typed.slice(0, -1) : typed + key
      }
    }
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
  return new Secret(typed)
}

/** Asks for something new, twice. Errors: InputError when it is not the same both times. */
export async function askTwice(what: string): Promise<Secret> {
  const first = await askPassword(`${what}: `)
  const second = await askPassword(`${what} again: `)
  if (first.reveal() === second.reveal()) return first
  throw new InputError('the two are not the same', { next: 'try again' })
}

/** A signal that Ctrl-C (or SIGTERM) aborts; a second one ends the process at once. */
export function interruption(): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) {
      process.stderr.write(
        '\nended at once: whether the steps under way are done is not known; run the same command again\n',
      )
      process.exit(130)
    }
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    done: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}

/** A run is not to end in the middle because nobody reads what it tells any more, or no disk takes it. */
export function outliveReader(stream: NodeJS.WriteStream): void {
  let told = false
  stream.removeAllListeners('error').on('error', (error: NodeJS.ErrnoException) => {
    if (!told && error.code !== 'EPIPE') process.emitWarning(`the report cannot be written: ${error.message}`)
    told = true
  })
}
