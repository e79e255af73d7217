import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ConnectionError } from '../../../src/errors.ts'
import { frame, Unframer, type Answer, type Answers } from '../../../src/ssh/framing.ts'
import type { Session } from '../../../src/ssh/session.ts'

export interface LocalShell {
  /** A program, with its arguments if it needs any: dash, bash, busybox sh. Default sh. */
  shell?: string | readonly string[]
  /** A directory that the shell sees as /var/lib, so that each host has marks of its own. */
  varLib?: string
  /** A directory that stands for /run/bramble. Default: one of its own, where nobody else takes the host's lock. */
  lock?: string
  /** Words of a program that starts the shell. */
  inside?: readonly string[]
}

/** A shell on this machine that stands for a host: all but SSH and sudo is what a real one has. */
export class LocalSession implements Session {
  trips = 0
  readonly #child: ChildProcessWithoutNullStreams
  readonly #start: (program: string[]) => ChildProcessWithoutNullStreams

  readonly #lock: string
  #own: string | undefined

  constructor({ shell = 'sh', varLib, lock, inside = [] }: LocalShell = {}) {
    this.#lock = lock ?? mkdtempSync(join(tmpdir(), 'bramble-lock-'))
    if (lock === undefined) this.#own = this.#lock
    const enter = [...inside, ...(varLib === undefined ? [] : inPlaceOfVarLib(varLib))]
    this.#start = (program) => {
      const [command = '', ...words] = [
        ...enter,
        ...(typeof shell === 'string' ? shell.split(' ') : shell),
        ...program,
      ]
      return spawn(command, words)
    }
    this.#child = this.#start(['-s'])
    // What is written to a shell that has ended is told by its end.
    this.#child.stdin.on('error', () => undefined)
  }

  run(commands: readonly string[], timeout: number, first?: string): Promise<Answers> {
    this.trips += 1
    const own = (text: string) => text.replaceAll('/run/bramble', this.#lock)
    const nonce = randomBytes(12).toString('hex')
    const unframer = new Unframer(nonce)
    const child = this.#child
    return new Promise((resolve, reject) => {
      const ended = { stdout: false, stderr: false }
      const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
        ended[stream] ||= unframer.push(stream, chunk)
        if (!ended.stdout || !ended.stderr) return
        stop()
        resolve(unframer.answers())
      }
      const [onStdout, onStderr] = [collect('stdout'), collect('stderr')]
      const lose = (message: string) => {
        stop()
        reject(new ConnectionError(message, { stderr: unframer.text('stderr') }))
      }
      const onClose = () => lose('the connection was lost')
      const timer = setTimeout(() => lose(`did not answer within ${timeout} s`), timeout * 1000)
      const stop = () => {
        clearTimeout(timer)
        child.off('close', onClose)
        child.stdout.off('data', onStdout)
        child.stderr.off('data', onStderr)
      }
      child.stdout.on('data', onStdout)
      child.stderr.on('data', onStderr)
      child.on('close', onClose)
      if (child.exitCode !== null || child.signalCode !== null) return onClose()
      child.stdin.write(frame(nonce, commands.map(own), first && own(first)))
    })
  }

  /** What is typed into the shell besides scripts: stands for what a login shell's rc files print. */
  say(text: string): void {
    this.#child.stdin.write(text)
  }

  async feed(command: string, input: Readable, timeout: number): Promise<Answer> {
    this.trips += 1
    const child = this.#start(['-c', command.replaceAll('/run/bramble', this.#lock)])
    const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
    child.stdout.on('data', (chunk: Buffer) => printed.stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => printed.stderr.push(chunk))
    child.stdin.on('error', () => undefined)
    input.pipe(child.stdin)
    const timer = setTimeout(() => child.kill(), timeout * 1000)
    const [code] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    if (code === null) throw new ConnectionError('the connection was lost')
    const text = (stream: 'stdout' | 'stderr') => Buffer.concat(printed[stream]).toString('utf8')
    return { code, stdout: text('stdout'), stderr: text('stderr') }
  }

  close(): void {
    this.#child.stdin.end()
    this.#child.kill()
    if (this.#own) rmSync(this.#own, { recursive: true, force: true })
  }
}

function inPlaceOfVarLib(directory: string): string[] {
  const isRoot = process.getuid?.() === 0
  const mount = 'mount --bind "$0" /var/lib && exec "$@"'
  return ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--mount', 'sh', '-c', mount, directory]
}
