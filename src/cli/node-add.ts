import { relative } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { BrambleError, ConnectionError } from '../errors.ts'
import { loadInventory, type Edited, type Host } from '../inventory/index.ts'
import { unified } from '../modules/diff.ts'
import type { NewHost } from '../inventory/new-host.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { quote } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { openSession } from '../ssh/session.ts'
import { exit } from './exit.ts'
import { hostNamed } from './node-common.ts'
import { listOf, outputOf } from './options.ts'
import { lockedSecrets, projectDirectory, reach } from './project.ts'
import { checkFlags, codeOf, inventoryFor, runPlays, withRun } from './run.ts'

const site = 'playbooks/site.ts'

const builder = (yargs: Argv) =>
  withRun(yargs)
    .positional('name', { type: 'string', demandOption: true, describe: 'Its name' })
    .option('address', { type: 'string', demandOption: true, describe: 'Its static IPv4 address' })
    .option('groups', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'What it is for: managers or workers, and webservers, loadbalancers, …',
    })
    .example('$0 node add rpi5 --address 192.168.188.15 --groups workers,webservers', 'One more web server')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const addCommand: CommandModule<object, Arguments> = {
  command: 'add <name>',
  describe: `Put a node into the inventory, and apply ${site}`,
  builder,
  handler: add,
}

/** Interrupted, the same command goes on: a host that is there as asked for is no error. */
async function add(argv: Arguments): Promise<void> {
  checkFlags(argv)
  const out = outputOf(argv.output) === 'json' ? process.stderr : process.stdout
  const { makeChange, planAddition } = await import('../inventory/change.ts')
  const host = { name: argv.name, address: argv.address, groups: listOf(argv.groups) ?? [] }
  // No value is needed to compare.
  const load = (edited: Edited) => loadInventory(argv.inventory, process.env, lockedSecrets, edited)
  const change = await planAddition(argv.inventory, host, load)
  const playbook = await loadPlaybook(site, projectDirectory(), change.inventory)
  const file = relative('', change.file)
  const isNew = change.after !== change.before
  const shown = isNew
    ? redact(unified(file, change.before, change.after))
    : `${host.name} is in ${file} already`
  out.write(`${shown}\n`)
  // Before the file is written: it asks for passwords, and may end in an error.
  const inventory = await inventoryFor(argv, change.edited)
  if (isNew && !argv.check) {
    const unreached = await firstContact(hostNamed(inventory, host.name))
    if (unreached) {
      process.stderr.write(`${redact(unreached.describe())}\n${file} is as it was.\n`)
      exit(unreached instanceof ConnectionError ? 4 : 2)
      return
    }
    await makeChange(change)
  }
  const again = argv.check ? addCommandOf(host) : ['bramble apply', site]
  const work = { playbook, file: site, inventory, hosts: inventory.hosts, command: again }
  const code = codeOf(await runPlays(work, argv), argv.check)
  exit(code === 0 && argv.check && isNew ? 3 : code)
}

/** With a wrong address the others would be set up for a node that is not there. Undefined: it lets us in. */
async function firstContact(host: Host): Promise<BrambleError | undefined> {
  const targetOf = await reach(projectDirectory(), [host])
  try {
    const session = await openSession(targetOf(host))
    session.close()
    return undefined
  } catch (error) {
    if (error instanceof BrambleError) return error
    throw error
  }
}

function addCommandOf({ name, address, groups }: NewHost): string[] {
  return ['bramble node add', quote(name), '--address', address, '--groups', quote(groups.join(','))]
}
