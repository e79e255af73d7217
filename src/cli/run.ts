import { join } from 'node:path'
import type { Argv } from 'yargs'
import type { Event } from '../engine/events.ts'
import { run, type RunOptions, type RunResult } from '../engine/run.ts'
import { InputError } from '../errors.ts'
import type { Edited, Inventory } from '../inventory/index.ts'
import { quote } from '../playbook/sh.ts'
import { report } from '../report/index.ts'
import { journal } from '../report/journal.ts'
import { openSession } from '../ssh/session.ts'
import { checkTimeout, outputOf, withBecomePassword, withInventory, withOutput } from './options.ts'
import { archives, projectDirectory, reach, rootInventoryOf, templates } from './project.ts'
import { interruption, outliveReader } from './terminal.ts'

const FORKS = 25
/** Seconds. */
const TIMEOUT = 120

/** The flags of every command that runs plays over hosts. */
export const withRun = <T>(yargs: Argv<T>) =>
  withOutput(withBecomePassword(withInventory(yargs)))
    .option('check', { type: 'boolean', default: false, describe: 'Show what would change, change nothing' })
    .option('diff', { type: 'boolean', default: false, describe: 'Show each change as a diff' })
    .option('forks', { type: 'number', default: FORKS, describe: 'Hosts worked on at the same time' })
    .option('timeout', {
      type: 'number',
      default: TIMEOUT,
      describe: 'Seconds a host may take to tell its state',
    })
    .option('force-unlock', {
      type: 'boolean',
      default: false,
      describe: 'End another run that is at work on a host',
    })
    .option('verbose', { alias: 'v', type: 'count', describe: 'Show also what is already so' })

export type RunFlags = ReturnType<typeof withRun> extends Argv<infer T> ? T : never

/** Errors: InputError for numbers that cannot be, before anything is read. */
export function checkFlags(flags: Pick<RunFlags, 'forks' | 'timeout'>): void {
  if (!Number.isInteger(flags.forks) || flags.forks < 1) {
    throw new InputError(`--forks ${flags.forks}`, { expected: 'a whole number of at least 1' })
  }
  checkTimeout(flags.timeout)
}

/** The inventory that the flags mean; `edited`: what to read instead of its file. Errors: InputError for flags that cannot be, before anything is asked for. */
export async function inventoryFor(flags: RunFlags, edited?: Edited): Promise<Inventory> {
  checkFlags(flags)
  return rootInventoryOf(flags, edited)
}

/** What to run where; `command` is what repeats it, as far as the flags do not say so. */
type Work = Pick<RunOptions, 'playbook' | 'file' | 'hosts' | 'tags' | 'whole'> & {
  inventory: Inventory
  command: readonly string[]
}

/** Runs plays over hosts as the flags say, with a report on stdout and a journal in the project. */
export async function runPlays(work: Work, flags: RunFlags): Promise<RunResult> {
  const { inventory, command, ...what } = work
  const project = projectDirectory()
  const targetOf = await reach(project, what.hosts)
  const events = journal(join(project, '.bramble/runs'))
  const output = report(outputOf(flags.output), {
    diff: flags.diff,
    verbose: flags.verbose ?? 0,
    stream: process.stdout,
  })
  for (const warning of inventory.warnings) process.stderr.write(`warning: ${warning}\n`)
  const { signal, done } = interruption()
  outliveReader(process.stdout)
  try {
    return await run({
      ...what,
      cluster: inventory,
      template: templates(project),
      archives: await archives(project, inventory.settings),
      connect: (host, patience) => openSession(targetOf(host, patience)),
      listener: (event: Event) => {
        events.listener(event)
        output.listener(event)
      },
      check: flags.check,
      forks: flags.forks,
      timeout: flags.timeout,
      forceUnlock: flags['force-unlock'],
      signal,
      journal: events.path,
      command: [...command, ...repeated(flags)].join(' '),
    })
  } finally {
    done()
    await output.done()
  }
}

/** Exit codes are a contract: 0 done · 2 a host failed · 3 check found changes · 4 no host reached · 130 interrupted. */
export function codeOf(result: RunResult, check: boolean): number {
  const hosts = Object.values(result.hosts)
  if (result.interrupted) return 130
  // No play may be for some of them: nobody tried to reach those.
  const tried = hosts.filter((host) => host.unreachable || host.trips > 0 || host.failed > 0)
  if (tried.length > 0 && tried.every((host) => host.unreachable)) return 4
  if (!result.ok) return 2
  return check && result.changed ? 3 : 0
}

/** The flags that decide what a run does. */
function repeated(flags: RunFlags): string[] {
  return [
    ...(flags.inventory === 'inventory' ? [] : ['-i', quote(flags.inventory)]),
    ...(flags.check ? ['--check'] : []),
    ...(flags.forks === FORKS ? [] : ['--forks', String(flags.forks)]),
    ...(flags.timeout === TIMEOUT ? [] : ['--timeout', String(flags.timeout)]),
    ...(flags['ask-become-pass'] ? ['-K'] : []),
  ]
}
