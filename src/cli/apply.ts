import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { limitHosts } from '../engine/run.ts'
import type { Event } from '../engine/events.ts'
import { InputError, type ErrorDetails } from '../errors.ts'
import type { Inventory } from '../inventory/index.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { quote } from '../playbook/sh.ts'
import { exit } from './exit.ts'
import { listOf, withLimit } from './options.ts'
import { projectDirectory } from './project.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'

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

async function apply(argv: Arguments): Promise<void> {
  const project = projectDirectory()
  const tags = listOf(argv.tags)
  if (tags?.length === 0) throw new InputError('--tags names no tag', { expected: '--tags a,b' })
  const inventory = await inventoryFor(argv)
  const hosts = chosenHosts(inventory, project, argv)
  const playbook = await loadPlaybook(argv.playbook, project, inventory)
  if (playbook.runBy !== undefined) {
    throw new InputError(`${argv.playbook} is run by ${playbook.runBy}, which does more and asks first`, {
      next: `${playbook.runBy} --check shows what it would do`,
    })
  }
  const command = [
    'bramble apply',
    quote(argv.playbook),
    ...(tags ?? []).flatMap((tag) => ['--tags', quote(tag)]),
  ]
  const work = { playbook, file: argv.playbook, inventory, hosts, command, ...(tags && { tags }) }
  exit(codeOf(await runPlays(work, argv), argv.check))
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
