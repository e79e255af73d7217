import { readFileSync } from 'node:fs'
import { cpus, getPriority, release, totalmem } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { readState } from '../../src/lab/state.ts'
import { attempt } from '../../src/lab/run.ts'

/** How long the computer is looked at before a benchmark begins. */
const milliseconds = 4000
/** Of the time of all processors, what other work may take. */
const allowed = 0.1

/**
 * What the figures were measured on, and whether they can be relied on: it looks for a few seconds whether the
 * processors have other work. Where the lab is what is measured, its machines are no other work.
 */
export async function machine({ onLab }: { onLab: boolean }): Promise<string[]> {
  const processors = cpus()
  const before = { computer: processorTime(), lab: labTime() }
  await setTimeout(milliseconds)
  const { busy, all } = since(before.computer)
  const lab = (labTime() - before.lab) / all
  const others = busy / all - (onLab ? lab : 0)
  const about = `${processors.length} × ${processors[0]?.model.trim()}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}, both ends of each connection on it`
  const found = [
    `before it began ${percent(others)} of the processors’ time went to other work`,
    ...(onLab ? [`${percent(lab)} to the machines of the lab at rest`] : []),
  ]
  if (others <= allowed && getPriority() <= 0) return [about, found.join(', ')]
  return [
    about,
    found.join(', '),
    `**measured on a busy machine** (nice ${getPriority()}): these are no figures`,
  ]
}

export interface ProcessorTime {
  busy: number
  all: number
}

/** Milliseconds that all processors together have had, and those in which they worked. */
export function processorTime(): ProcessorTime {
  const times = cpus().map((processor) => processor.times)
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) }
}

export function since(before: ProcessorTime): ProcessorTime {
  const now = processorTime()
  return { busy: now.busy - before.busy, all: now.all - before.all }
}

/** Milliseconds that the lab's machines have worked; 0 without a lab. */
function labTime(): number {
  const machines = readState()?.machines ?? []
  return machines.reduce((sum, one) => sum + (one.process ? workOf(one.process.pid) : 0), 0)
}

/** @see proc_pid_stat(5): utime and stime, of 100 a second, are the fields 14 and 15 */
function workOf(pid: number): number {
  try {
    // The second field is the program's name, which may have blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return 10 * (Number(fields[11]) + Number(fields[12]))
  } catch {
    return 0
  }
}

export function percent(share: number): string {
  return `${Math.round(100 * Math.max(0, share))} %`
}

/** The versions of what is compared. */
export async function versions(): Promise<string[]> {
  const packages = ['openssh-client', 'ansible-core', 'ansible-mitogen']
  const { stdout } = await attempt(['dpkg-query', '-W', '-f', '${Package} ${Version}\n', ...packages])
  return [`node ${process.version}`, ...stdout.trim().split('\n')]
}
