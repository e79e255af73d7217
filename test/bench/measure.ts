import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { BrambleError } from '../../src/errors.ts'

/** A program with its arguments, and what its environment has besides that of this process. */
export interface Command {
  words: readonly string[]
  directory?: string
  environment?: Readonly<Record<string, string>>
}

export interface Measured {
  seconds: number
  stdout: string
  /** The most that it had resident at a time, in MB; of the process itself, not of its children. */
  peakMemory: number
}

/** Runs a command to its end. Errors: BrambleError, with what it printed, when its exit code is not 0. */
export function measure(command: Command): Promise<Measured> {
  const [program = '', ...words] = command.words
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, words, {
      cwd: command.directory,
      env: { ...process.env, ...command.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const printed = { stdout: '', stderr: '' }
    let peakMemory = 0
    // VmHWM only grows; a look now and then costs a read of a few lines.
    const look = () => (peakMemory = Math.max(peakMemory, memoryOf(child.pid)))
    const timer = setInterval(look, 50)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed.stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(timer)
      const seconds = (performance.now() - start) / 1000
      if (code === 0) return resolve({ seconds, stdout: printed.stdout, peakMemory })
      const tail = `${printed.stdout}${printed.stderr}`.slice(-2000)
      reject(new BrambleError(`${commandLine(command)} exited with code ${code}`, { stderr: tail }))
    })
  })
}

function memoryOf(pid: number | undefined): number {
  try {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1000
  } catch {
    return 0
  }
}

/** A command as one could type it. */
export function commandLine({ words, environment = {} }: Command): string {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return [...settings, ...words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`))].join(' ')
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
