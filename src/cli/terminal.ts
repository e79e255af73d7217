import { InputError } from '../errors.ts'
import { Secret } from '../secrets/secret.ts'

/** Asks for a password without showing it. Errors: InputError when stdin is no terminal. */
export async function askPassword(question: string): Promise<Secret> {
  const { stdin } = process
  if (!stdin.isTTY) {
    throw new InputError('there is no terminal to ask for the password', {
      next: 'Set BRAMBLE_BECOME_PASSWORD instead.',
    })
  }
  // First, so that nothing typed in answer is shown.
  stdin.setRawMode(true)
  process.stderr.write(question)
  try {
    return new Secret(await readLine())
  } finally {
    stdin.setRawMode(false)
    process.stderr.write('\n')
  }
}

/** Asks a question that anything but yes answers with no. */
export async function askYes(question: string): Promise<boolean> {
  process.stderr.write(`${question} [y/N] `)
  return /^y(es)?$/i.test((await readLine()).trim())
}

/** What came after the end of the line, for the next question. */
let typedAhead = ''

/** Reads to the end of a line; in raw mode the keys that edit it are acted upon here. */
function readLine(): Promise<string> {
  const { stdin } = process
  return new Promise((resolve, reject) => {
    let line = ''
    const take = (text: string) => {
      typedAhead = text
      while (typedAhead !== '') {
        const key = String.fromCodePoint(typedAhead.codePointAt(0) ?? 0)
        typedAhead = typedAhead.slice(key.length)
        if (key === '\r' || key === '\n') return stop(() => resolve(line))
        if (key === '\u0003') return stop(() => reject(new InputError('interrupted')))
        line = key === '\u007F' ? line.slice(0, -1) : line + key
      }
    }
    const onData = (chunk: Buffer) => take(chunk.toString())
    const onEnd = () => stop(() => resolve(line))
    const stop = (end: () => void) => {
      stdin.off('data', onData).off('end', onEnd).pause()
      end()
    }
    stdin.on('data', onData).on('end', onEnd)
    take(typedAhead)
  })
}

/** A signal that Ctrl-C aborts; a second Ctrl-C ends the process at once. */
export function interruption(): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\ninterrupted: finishing the steps under way (again to stop at once)\n')
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    done: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  }
}
