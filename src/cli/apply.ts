import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { run, limitHosts, type RunResult } from '../engine/run.ts'
import type { Event } from '../engine/events.ts'
import { InputError, type ErrorDetails } from '../errors.ts'
import { withConnection, type Inventory } from '../inventory/index.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { quote } from '../playbook/sh.ts'
import { report } from '../report/index.ts'
import { journal } from '../report/journal.ts'
import { openSession } from '../ssh/session.ts'
import { exit } from './exit.ts'
import { listOf, outputOf, withInventory, withLimit, withOutput } from './options.ts'
import { archives, inventoryOf, projectDirectory, reach, templates } from './project.ts'
import { askPassword, interruption, outliveReader } from './terminal.ts'

/** The flags of every command that runs plays over hosts. */
export const withRun = <T>(yargs: Argv<T>) =>
  withOutput(withInventory(yargs))
    .option('check', { type: 'boolean', default: false, describe: 'Show what would change, change nothing' })
    .option('diff', { type: 'boolean', default: false, describe: 'Show each change as a diff' })
    .option('forks', { type: 'number', default: 25, describe: 'Hosts worked on at the same time' })
    .option('timeout', {
      type: 'number',
      default: 120,
      describe: 'Seconds a host may take to tell its state',
    })
    .option('force-unlock', {
      type: 'boolean',
      default: false,
      describe: 'End another run that is at work on a host',
    })
    .option('ask-become-pass', {
      alias: 'K',
      type: 'boolean',
      default: false,
      describe: 'Ask for the sudo password',
    })
    .option('verbose', { alias: 'v', type: 'count', describe: 'Show also what is already so' })

const builder = (yargs: Argv) =>
  withLimit(withRun(yargs))
    .positional('playbook', { type: 'string', default: 'playbooks/site.ts', describe: 'The playbook to run' })
    .option('tags', { type: 'string', array: true, describe: 'Only plays and tasks with one of these tags' })
    .option('failed', {
      type: 'boolean',
      default: false,
      describe: 'Only the hosts that the last run was not done with',
    })
    .example('$0 apply', 'Bring every host to what playbooks/site.ts says')
    .example('$0 apply --check --diff', 'Show what that would change')
    .example('$0 apply playbooks/nfs.ts -l rpi4', 'One part, on one host')
    .example('$0 apply --tags nfs,stack', 'Two parts of the whole')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const applyCommand: CommandModule<object, Arguments> = {
  command: 'apply [playbook]',
  describe: 'Bring hosts to what a playbook says',
  builder,
  handler: apply,
}

/** @throws InputError for numbers that cannot be, before anything is read */
export function checkFlags(argv: Pick<Arguments, 'forks' | 'timeout'>): void {
  if (!Number.isInteger(argv.forks) || argv.forks < 1) {
    throw new InputError(`--forks ${argv.forks}`, { expected: 'a whole number of at least 1' })
  }
  if (!(argv.timeout >= 1)) {
    throw new InputError(`--timeout ${argv.timeout}`, { expected: 'seconds, at least 1' })
  }
}

/** Runs a playbook over hosts, as the flags say. */
export async function apply(argv: Arguments): Promise<void> {
  const project = projectDirectory()
  checkFlags(argv)
  const loaded = await inventoryOf(argv.inventory)
  const playbook = await loadPlaybook(argv.playbook, project)
  const inventory = argv['ask-become-pass']
    ? withConnection(loaded, {
        becomePassword: await askPassword('sudo password: ', 'Set BRAMBLE_BECOME_PASSWORD instead.'),
      })
    : loaded
  const hosts = chosenHosts(inventory, project, argv)
  const tags = listOf(argv.tags)
  if (tags?.length === 0) throw new InputError('--tags names no tag', { expected: '--tags a,b' })
  const targetOf = await reach(project, hosts)
  const events = journal(join(project, '.bramble/runs'))
  const output = report(outputOf(argv.output), {
    diff: argv.diff,
    verbose: argv.verbose ?? 0,
    stream: process.stdout,
  })
  for (const warning of inventory.warnings) process.stderr.write(`warning: ${warning}\n`)
  const { signal, done } = interruption()
  outliveReader(process.stdout)
  try {
    const result = await run({
      playbook,
      file: argv.playbook,
      cluster: inventory,
      hosts,
      template: templates(project),
      archives: await archives(project, inventory.settings),
      connect: (host, patience) => openSession(targetOf(host, patience)),
      listener: (event: Event) => {
        events.listener(event)
        output.listener(event)
      },
      check: argv.check,
      forks: argv.forks,
      timeout: argv.timeout,
      forceUnlock: argv['force-unlock'],
      signal,
      journal: events.path,
      command: commandOf(argv),
      ...(tags && { tags }),
    })
    exit(codeOf(result, argv.check))
  } finally {
    done()
    await output.done()
  }
}

/** Exit codes are a contract: 0 done · 2 a host failed · 3 check found changes · 4 no host reached · 130 interrupted. */
export function codeOf(result: RunResult, check: boolean): number {
  const hosts = Object.values(result.hosts)
  if (result.interrupted) return 130
  if (hosts.every((host) => host.unreachable)) return 4
  if (!result.ok) return 2
  return check && result.changed ? 3 : 0
}

/** The same command with all that decides what it does, but for the hosts. */
function commandOf(argv: Arguments): string {
  const words = ['bramble', 'apply', quote(argv.playbook)]
  if (argv.inventory !== 'inventory') words.push('-i', quote(argv.inventory))
  for (const tag of listOf(argv.tags) ?? []) words.push('--tags', quote(tag))
  if (argv.check) words.push('--check')
  if (argv['ask-become-pass']) words.push('-K')
  return words.join(' ')
}

function chosenHosts(inventory: Inventory, project: string, argv: Arguments) {
  const limited = limitHosts(inventory, argv.limit)
  if (!argv.failed) return limited
  const names = lastFailed(join(project, '.bramble/runs'))
  const hosts = limited.filter((host) => names.has(host.name))
  if (hosts.length === 0) {
    throw new InputError('--failed: no host failed in the last run', { next: 'Run it without --failed.' })
  }
  return hosts
}

/** Hosts that the newest run of the journal was not done with: those that failed, or all if it ended early. */
function lastFailed(directory: string): Set<string> {
  const runs = existsSync(directory) ? readdirSync(directory).toSorted() : []
  const journals = runs
    .map((name) => join(directory, name, 'events.jsonl'))
    .filter((path) => existsSync(path))
  const newest = journals.at(-1)
  if (!newest) return new Set()
  let text: string
  try {
    text = readFileSync(newest, 'utf8')
  } catch (cause) {
    throw unreadable(newest, { cause, found: (cause as Error).message })
  }
  // What was cut off with its run, by a full disk or a power cut, is no whole line.
  const events = text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => eventOf(line, `${newest}:${index + 1}`))
  const summary = events.find((event) => event.type === 'summary')
  const whole = summary !== undefined && summary.stopped === undefined
  return new Set(
    events.flatMap((event) => {
      if (event.type === 'failed') return [event.host]
      return event.type === 'start' && !whole ? event.hosts : []
    }),
  )
}

function eventOf(line: string, at: string): Event {
  try {
    const event = JSON.parse(line) as Event | null
    if (typeof event?.type === 'string') return event
  } catch {
    // Told below, as what is JSON and no event is.
  }
  throw unreadable(at, { expected: 'an event, as JSON', found: line.slice(0, 200) })
}

function unreadable(at: string, details: ErrorDetails): InputError {
  const next = 'Name the hosts with --limit.'
  return new InputError('--failed: the journal of the last run cannot be read', { at, ...details, next })
}
