import { existsSync, readFileSync } from 'node:fs'
import { until } from './wait.ts'

/** A process that the lab started: `mark` is a piece of its command line that no other process has. */
export interface LabProcess {
  pid: number
  mark: string
}

/** Whether it still runs. A pid that now belongs to another program counts as gone. */
export function isAlive({ pid, mark }: LabProcess): boolean {
  return commandLine(pid).includes(mark)
}

/** Ends it at once (SIGKILL: a power cut) and waits until it is gone. */
export async function end(process_: LabProcess): Promise<void> {
  if (!isAlive(process_)) return
  process.kill(process_.pid, 'SIGKILL')
  await until(`the end of process ${process_.pid}`, 10_000, () => !isAlive(process_), 20)
}

/**
 * Waits until the process runs `program`, or has ended. Before that, while nsenter(1) turns into the program, it
 * has no command line for a moment and would pass for dead.
 */
export async function hasBecome({ pid }: LabProcess, program: string): Promise<void> {
  const settled = (): boolean => commandLine(pid).startsWith(`${program}\0`) || !existsSync(`/proc/${pid}`)
  await until(`the start of ${program}`, 30_000, settled, 10)
}

/** The command line of a process, its words parted by NUL; empty when there is no such process, or a zombie. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
