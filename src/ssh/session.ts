import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, ClientChannel } from 'ssh2'
import { BrambleError, ConnectionError, TaskError, TimeoutError } from '../errors.ts'
import { openClient } from './connection.ts'
import { frame, Unframer, type Answer, type Answers } from './framing.ts'
import { exitCode, readCommand, startShell } from './shell.ts'
import type { Target } from './target.ts'

/** A root shell on one host that is fed scripts, one after another, over one connection. */
export interface Session {
  /**
   * Runs commands in one round trip; each in a subshell of its own. `first` runs before them in the shell itself, and
   * answers first; if it fails, nothing else is run.
   *
   * Errors: ConnectionError when the connection ends or `timeout` (seconds) passes before the answer is whole; where
   * there was a `first`, with what that and the next command printed. What others print, which only look, may be in
   * files that nobody is to see.
   */
  run(commands: readonly string[], timeout: number, first?: string): Promise<Answers>
  /** Runs one command, as root, that reads `input` on its stdin. */
  feed(command: string, input: Readable, timeout: number): Promise<Answer>
  close(): void
}

/** Connects, becomes root, and starts the shell. Errors: ConnectionError, or BrambleError for a refused sudo. */
export async function openSession(target: Target): Promise<Session> {
  const client = await openClient(target)
  try {
    const shell = await within(target, startShell(client, target))
    return new SshSession(client, shell, target)
  } catch (error) {
    client.end()
    // What hangs does not end by itself, and would keep this process from ending, too.
    client.destroy()
    throw error
  }
}

/** sshd or sudo may hang after the login, too; on a busy machine, they take longer than the login. */
async function within<T>({ name, user, connectTimeout }: Target, work: Promise<T>): Promise<T> {
  const seconds = 3 * connectTimeout
  const timer = new AbortController()
  const late = delay(seconds * 1000, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new TimeoutError(`logged in, but got no shell within ${seconds} s`, {
      host: name,
      next: `Is the machine stuck? Try it by hand: ssh ${user}@… sudo true. If it is only slow, raise ansible_timeout.`,
    })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
    late.catch(() => undefined)
  }
}

class SshSession implements Session {
  readonly #client: Client
  readonly #shell: ClientChannel
  readonly #target: Target
  #ended = false

  constructor(client: Client, shell: ClientChannel, target: Target) {
    this.#client = client
    this.#shell = shell
    this.#target = target
    // It has ended, or was ended to free the host's lock: what else goes over the connection has to end, too.
    shell.on('close', () => {
      this.#ended = true
      client.end()
    })
    client.on('close', () => (this.#ended = true))
  }

  run(commands: readonly string[], timeout: number, first?: string): Promise<Answers> {
    const nonce = randomBytes(12).toString('hex')
    const unframer = new Unframer(nonce)
    const shell = this.#shell
    return new Promise((resolve, reject) => {
      const ended = { stdout: false, stderr: false }
      const onData = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
        ended[stream] ||= unframer.push(stream, chunk)
        if (!ended.stdout || !ended.stderr) return
        stop()
        if (unframer.begun) resolve(unframer.answers())
        else reject(this.#torn())
      }
      const onStdout = onData('stdout')
      const onStderr = onData('stderr')
      const onClose = () => {
        stop()
        reject(this.#lost(unframer, exitCode(shell), first))
      }
      const timer = setTimeout(() => {
        stop()
        this.close()
        reject(this.#late(unframer, timeout, first))
      }, timeout * 1000)
      const stop = () => {
        clearTimeout(timer)
        shell.off('data', onStdout).off('close', onClose)
        shell.stderr.off('data', onStderr)
      }
      shell.on('data', onStdout).on('close', onClose)
      shell.stderr.on('data', onStderr)
      // It may have while nobody asked: nothing tells of that again.
      if (this.#ended) return onClose()
      shell.write(frame(nonce, commands, first))
    })
  }

  async feed(command: string, input: Readable, timeout: number): Promise<Answer> {
    if (this.#ended) throw new ConnectionError('the connection was lost', { host: this.#target.name })
    const shell = await startShell(this.#client, this.#target, readCommand)
    // `read` takes the first line and not a byte more: the input is left to the command.
    shell.write(`${Buffer.from(command).toString('base64')}\n`)
    return new Promise((resolve, reject) => {
      const out: Buffer[] = []
      const err: Buffer[] = []
      const timer = setTimeout(() => {
        this.close()
        const details = { host: this.#target.name, output: `${text(out)}${text(err)}` }
        reject(new ConnectionError(`did not finish within ${timeout} s`, details))
      }, timeout * 1000)
      shell.on('data', (chunk: Buffer) => out.push(chunk))
      shell.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      shell.on('close', () => {
        clearTimeout(timer)
        input.destroy()
        const [stdout, stderr] = [text(out), text(err)]
        const code = exitCode(shell)
        if (code !== null) return resolve({ code, stdout, stderr })
        const details = { host: this.#target.name, stderr, output: `${stdout}${stderr}` }
        reject(new ConnectionError('the connection was lost', details))
      })
      input.on('error', (cause) => {
        this.close()
        reject(new BrambleError('what was to be sent could not be read', { cause, found: cause.message }))
      })
      // A command may end without reading all of its input; its exit code tells, not the broken pipe.
      shell.on('error', () => undefined)
      input.pipe(shell)
    })
  }

  close(): void {
    this.#client.end()
    this.#client.destroy()
  }

  #torn(): BrambleError {
    const { name, user } = this.#target
    this.close()
    return new BrambleError('the shell did not get all that was sent to it', {
      host: name,
      next: `Does an rc file of ${user} read its input, which is meant for the shell? Let it do so in a terminal only.`,
    })
  }

  #late(unframer: Unframer, seconds: number, first: string | undefined): TimeoutError {
    const { name, user } = this.#target
    return unframer.begun
      ? new TimeoutError(`did not answer within ${seconds} s`, {
          host: name,
          ...(first !== undefined && { output: unframer.textOf(2) }),
          next: 'What it was asked hangs, or takes longer: see what runs there, or give it more time: --timeout of apply and exec, or timeout of the task.',
        })
      : new TimeoutError(`the shell of ${user} did not answer within ${seconds} s`, {
          host: name,
          next: `Does an rc file of ${user} wait for something, or is the machine stuck? If it is only slow: --timeout of apply and exec.`,
        })
  }

  /** Why there is no whole answer: no root, no shell, or no connection any more. */
  #lost(unframer: Unframer, code: number | null, first: string | undefined): BrambleError {
    const { name, user, becomePassword } = this.#target
    const stderr = unframer.text('stderr')
    if (/sudo: |a password is required|not in the sudoers/.test(stderr)) {
      return new TaskError('cannot become root', {
        host: name,
        stderr,
        next: /must have a tty/.test(stderr)
          ? `Take requiretty from ${user} in sudoers: Defaults:${user} !requiretty`
          : becomePassword
            ? `Is the sudo password of ${user} right, and may the user run everything as root?`
            : 'Install sudo, allow it without a password, or give the password with -K (or BRAMBLE_BECOME_PASSWORD).',
      })
    }
    if (code !== null && !unframer.begun) {
      return new BrambleError(`the login shell of ${user} ended with code ${code}`, {
        host: name,
        expected: 'a shell that runs commands',
        stderr: `${unframer.text('stdout')}${stderr}`,
        next: `Give ${user} a shell: chsh -s /bin/sh ${user}`,
      })
    }
    const output = first === undefined ? {} : { output: unframer.textOf(2) }
    return new ConnectionError('the connection was lost', { host: name, stderr, ...output })
  }
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8')
}
