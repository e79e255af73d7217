import type { Argv, CommandModule } from 'yargs'
import { checkPlaybook, hostsOf, tasksOf } from '../engine/plays.ts'
import { limitHosts } from '../engine/run.ts'
import { loadInventory } from '../inventory/index.ts'
import { FactStore, UnknownFact } from '../playbook/facts.ts'
import { loadPlaybook } from '../playbook/load.ts'
import type { Context } from '../playbook/play.ts'
import { withInventory, withLimit } from './options.ts'
import { archives, inventoryOf, lockedSecrets, projectDirectory, templates } from './project.ts'

const builder = (yargs: Argv) =>
  withLimit(withInventory(yargs))
    .positional('what', { choices: ['hosts', 'tasks'] as const, default: 'hosts' as const })
    .option('playbook', {
      type: 'string',
      default: 'playbooks/site.ts',
      describe: 'For tasks: of which playbook',
    })

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const listCommand: CommandModule<object, Arguments> = {
  command: 'list [what]',
  describe: 'List hosts with their groups, or the tasks of a playbook; connects to nothing',
  builder,
  handler: list,
}

async function list(argv: Arguments): Promise<void> {
  // Names and groups need no key.
  const inventory =
    argv.what === 'hosts'
      ? await loadInventory(argv.inventory, process.env, lockedSecrets)
      : await inventoryOf(argv.inventory)
  const hosts = limitHosts(inventory, argv.limit)
  if (argv.what === 'hosts') {
    const width = Math.max(...hosts.map((host) => host.name.length))
    for (const host of hosts) {
      console.log(`${host.name.padEnd(width)}  ${host.address.padEnd(15)}  ${host.groups.join(', ')}`)
    }
    return
  }
  const project = projectDirectory()
  const playbook = await loadPlaybook(argv.playbook, project, inventory)
  const context: Context = {
    cluster: inventory,
    facts: new FactStore(),
    alive: hosts,
    wrote: false,
    template: templates(project),
    archives: await archives(project, inventory.settings),
  }
  checkPlaybook(argv.playbook, playbook, context)
  for (const play of playbook.plays) {
    for (const host of hostsOf(play, context)) {
      console.log(`${play.name} · ${host.name}`)
      try {
        for (const task of tasksOf(play, host, context)) console.log(`  ${task.title}`)
      } catch (error) {
        if (!(error instanceof UnknownFact)) throw error
        console.log(`  (depends on what hosts tell: the ${error.key} of ${error.host})`)
      }
    }
  }
}
