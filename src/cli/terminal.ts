import { InputError } from '../errors.ts'
import { Secret } from '../secrets/secret.ts'

/**
 * Asks for a password without showing it. Errors: InputError when stdin is no terminal; `next` is its advice.
 */
export async function askPassword(question: string, next = ''): Promise<Secret> {
  const { stdin } = process
  if (!stdin.isTTY) {
    throw new InputError('there is no terminal to ask for the password', {
      ...(next && { next }),
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

/** Ctrl-C in place of an answer. */
export class AskingInterrupted extends Error {}

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
        if (key === '\u0003') return stop(() => reject(new AskingInterrupted()))
        line = key === '\u007F' ? line.slice(0, -1) : line + key
      }
    }
    const onData = (chunk: Buffer) => take(chunk.toString())
    const onEnd = () => stop(() => resolve(line))
    const stop = (end: () => void) => {
      stdin.off('data', onData).off('end', onEnd).pause()
      end()
    }
    // An answer before has paused it.
    stdin.on('data', onData).on('end', onEnd).resume()
    take(typedAhead)
  })
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

/** Tells on stderr, from the second second on, who is still waited for; nothing of it stays. */
export async function noteWaiting<T>(names: () => readonly string[], work: Promise<T>): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work
  const note = () => {
    stderr.write(`\r\u001B[K${`waiting for ${names().join(', ')}`.slice(0, (stderr.columns || 80) - 1)}`)
  }
  const timer = setInterval(note, 1000)
  return work.finally(() => {
    clearInterval(timer)
    stderr.write('\r\u001B[K')
  })
}

/** The whole terminal, for lines that are drawn again and again; at the end it is as it was before. */
export function fullScreen(stream: NodeJS.WriteStream): {
  draw: (lines: readonly string[]) => void
  close: () => void
} {
  const leave = () => void stream.write('\u001B[?25h\u001B[?1049l')
  process.once('exit', leave)
  stream.write('\u001B[?1049h\u001B[?25l')
  return {
    draw: (lines) => void stream.write(`\u001B[H${lines.join('\u001B[K\r\n')}\u001B[J`),
    close: () => {
      process.off('exit', leave)
      leave()
    },
  }
}
