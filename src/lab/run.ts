import { spawn } from 'node:child_process'
import { BrambleError } from '../errors.ts'

export interface Ran {
  /** -1 when a signal ended it. */
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  /** Each line of output as it comes, stdout and stderr together. */
  onLine?: (line: string) => void
  /** Given to the program on its standard input; default: nothing. */
  input?: string
}

/** Runs a program of this computer to its end, whatever its exit code. Errors: BrambleError when it cannot be started. */
export function attempt(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = '', ...rest] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    const report = lineReader(options.onLine)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      report(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      report(text)
    })
    child.on('error', (cause) => reject(new BrambleError(`${program} could not be started`, { cause })))
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    child.stdin.on('error', () => {
      // The program did not want its input; its exit code tells the rest.
    })
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a program of this computer that has to succeed; what it printed on stdout. Errors: BrambleError with its stderr. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await attempt(command, options)
  if (code === 0) return stdout
  throw new BrambleError(`a command of the lab failed: ${command.join(' ')}`, {
    expected: 'exit code 0',
    found: `exit code ${code}`,
    stderr: stderr || stdout,
  })
}

function lineReader(onLine?: (line: string) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    if (!onLine) return
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
  }
}
