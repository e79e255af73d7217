import { relative } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import type { RunResult } from '../engine/run.ts'
import { InputError } from '../errors.ts'
import { loadInventory, type Edited, type Host, type Inventory } from '../inventory/index.ts'
import { unified } from '../modules/diff.ts'
import { leave, mayGo } from '../nodes/leave.ts'
import { outOfService } from '../nodes/service.ts'
import { within, without } from '../nodes/within.ts'
import { playbook } from '../playbook/play.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { quote } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { confirm } from './confirm.ts'
import { exit } from './exit.ts'
import { hostNamed, resetPlays } from './node-common.ts'
import { outputOf } from './options.ts'
import { lockedSecrets, projectDirectory } from './project.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'

const builder = (yargs: Argv) =>
  withRun(yargs)
    .positional('name', { type: 'string', demandOption: true, describe: 'The host’s name in the inventory' })
    .option('dead', { type: 'boolean', default: false, describe: 'It is broken and does not answer' })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 node remove rpi4', 'Its tasks go elsewhere, it leaves the swarm and the inventory')
    .example('$0 node remove rpi4 --check', 'Show the steps')
    .example('$0 node remove rpi4 --dead', 'The same without its help')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

/** `bramble node remove`. */
export const nodeRemoveCommand: CommandModule<object, Arguments> = {
  command: 'remove <name>',
  describe: 'Take a node out of the cluster and the inventory, while the site is served',
  builder,
  handler: remove,
}

async function remove(argv: Arguments): Promise<void> {
  const { name, dead, check } = argv
  const { makeChange, planRemoval } = await import('../inventory/change.ts')
  // No value is needed to compare.
  const load = (edited: Edited) => loadInventory(argv.inventory, process.env, lockedSecrets, edited)
  const change = await planRemoval(argv.inventory, name, load)
  if (change.after === change.before) {
    // An earlier run came as far as this.
    if (!check) await makeChange(change)
    return
  }
  const inventory = await inventoryFor(argv)
  const host = hostNamed(inventory, name)
  refuse(inventory, host)
  const rest = without(inventory, host)
  const site = within(rest, await loadPlaybook('playbooks/site.ts', projectDirectory(), rest))
  const plays = [
    ...mayGo(host, inventory, dead),
    ...outOfService(host, inventory),
    ...site,
    ...leave(host, inventory, dead),
    ...(dead ? [] : await resetPlays(inventory, [host])),
  ]
  const warnings = change.inventory.warnings.filter((one) => !inventory.warnings.includes(one))
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  if (!check && !argv.yes) await confirm(`Take ${name} out of the cluster?`)
  const result = await runPlays(
    {
      playbook: playbook({ name: `remove ${name}`, plays }),
      file: `node remove ${name}`,
      inventory,
      hosts: dead ? rest.hosts : inventory.hosts,
      command: ['bramble node remove', quote(name), ...(dead ? ['--dead'] : []), '--yes'],
      whole: true,
    },
    argv,
  )
  exit(codeOf(result, check))
  if (result.hosts[name]?.unreachable) {
    process.stderr.write(`If ${name} is dead for good: bramble node remove ${quote(name)} --dead\n`)
  }
  if (!check && !isDone(result, name)) return
  const out = outputOf(argv.output) === 'json' ? process.stderr : process.stdout
  out.write(`${redact(unified(relative('', change.file), change.before, change.after))}\n`)
  if (!check) await makeChange(change)
}

/** Of the other hosts, one that was never reached is none of this command's business; one that failed is. */
function isDone({ endedEarly, hosts }: RunResult, name: string): boolean {
  const failed = Object.values(hosts).some((host) => host.failed > 0)
  return !endedEarly && !failed && !hosts[name]?.unreachable
}

/** What the cluster cannot do without. */
function refuse(inventory: Inventory, host: Host): void {
  const last = (name: string) => host.in(name) && inventory.group(name).length === 1
  const cannot = (reason: string, next: string) => {
    throw new InputError(`${host.name} cannot be removed: it is ${reason}`, { next })
  }
  if (host.in('nfs_server')) {
    cannot(
      'the NFS server, which keeps the content',
      'copy the share to another host, name that one in nfs_server, and apply; then remove this one',
    )
  }
  if (last('loadbalancers')) {
    cannot('the last load balancer', 'put another host into loadbalancers and apply; then remove this one')
  }
  if (last('managers')) {
    cannot('the last manager of the swarm', 'put other hosts into managers and apply; then remove this one')
  }
  if (last('webservers')) {
    cannot('the last web server', 'put another host into webservers and apply; then remove this one')
  }
}
