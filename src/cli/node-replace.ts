import type { Argv, CommandModule } from 'yargs'
import { BrambleError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { ghostRemoved } from '../nodes/replace.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { playbook } from '../playbook/play.ts'
import { quote } from '../playbook/sh.ts'
import { shownHostKey } from '../ssh/connection.ts'
import { standingOf } from '../ssh/host-key.ts'
import { confirm } from './confirm.ts'
import { exit } from './exit.ts'
import { hostNamed } from './node-common.ts'
import { outputOf } from './options.ts'
import { projectDirectory, reach } from './project.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'
import { trustHost } from './trust.ts'

const builder = (yargs: Argv) =>
  withRun(yargs)
    .positional('name', { type: 'string', demandOption: true, describe: 'The host’s name in the inventory' })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 node replace rpi2', 'rpi2 was reflashed, or is another Pi now: give it its old place')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

/** `bramble node replace`. */
export const nodeReplaceCommand: CommandModule<object, Arguments> = {
  command: 'replace <name>',
  describe: 'Give a new or reflashed machine the place of the one that had its name',
  builder,
  handler: replace,
}

async function replace(argv: Arguments): Promise<void> {
  const { name, check } = argv
  const project = projectDirectory()
  const inventory = await inventoryFor(argv)
  const host = hostNamed(inventory, name)
  const site = await loadPlaybook('playbooks/site.ts', project, inventory)
  if (!check && !argv.yes) await confirm(`Give the machine at ${host.address} the place of ${name}?`)
  const out = outputOf(argv.output) === 'json' ? process.stderr : process.stdout
  const known = await knows(project, host, check, out)
  const result = await runPlays(
    {
      playbook: playbook({
        name: `replace ${name}`,
        plays: [...ghostRemoved(host, inventory), ...site.plays],
      }),
      file: `node replace ${name}`,
      inventory,
      // Nothing can be asked of it while its key is not on record, and a check records nothing.
      hosts: known ? inventory.hosts : inventory.hosts.filter((other) => other !== host),
      command: ['bramble node replace', quote(name), '--yes'],
      whole: true,
    },
    argv,
  )
  exit(codeOf(result, check))
}

/** Records the host key it shows now. In check mode it is only told; false: it is not the one on record. */
async function knows(
  project: string,
  host: Host,
  check: boolean,
  out: NodeJS.WritableStream,
): Promise<boolean> {
  const target = (await reach(project, [host]))(host)
  if (!check) {
    const outcome = await trustHost(target, true, out)
    if (outcome === 'done') return true
    throw new BrambleError(`${host.name} cannot be replaced: it does not answer at ${host.address}`, {
      next: `Is it switched on? Its user and key are those of the inventory: ssh ${target.user}@${target.host}`,
    })
  }
  const standing = standingOf(target, await shownHostKey(target))
  if (standing.is === 'same') return true
  process.stderr.write(
    `${host.name} shows another host key, which replace would record; what it lacks is told then\n`,
  )
  return false
}
