import type { Argv, CommandModule } from 'yargs'
import { ConnectionError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { ghostRemoved } from '../nodes/replace.ts'
import { loadPlaybook } from '../playbook/load.ts'
import { playbook } from '../playbook/play.ts'
import { quote } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { shownHostKey } from '../ssh/connection.ts'
import { standingOf } from '../ssh/host-key.ts'
import { confirm } from './confirm.ts'
import { exit } from './exit.ts'
import { hostNamed } from './node-common.ts'
import { outputOf } from './options.ts'
import { projectDirectory, reach } from './project.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'
import { trustHosts } from './trust.ts'

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
  const key = await recordKey(project, host, check, out)
  if (!key) return
  const result = await runPlays(
    {
      playbook: playbook({
        name: `replace ${name}`,
        plays: [...ghostRemoved(host, inventory), ...site.plays],
      }),
      file: `node replace ${name}`,
      inventory,
      // Nothing can be asked of it while its key is not on record, and a check records nothing.
      hosts: key === 'known' ? inventory.hosts : inventory.hosts.filter((other) => other !== host),
      command: ['bramble node replace', quote(name), '--yes'],
      whole: true,
    },
    argv,
  )
  exit(codeOf(result, check))
}

/** Records the host key it shows now; in check mode it is only told. Undefined: that failed. */
async function recordKey(
  project: string,
  host: Host,
  check: boolean,
  out: NodeJS.WritableStream,
): Promise<'known' | 'new' | undefined> {
  const target = (await reach(project, [host]))(host)
  if (!check) {
    // Not those of the jump hosts on the way, which are no new machines.
    const outcome = await trustHosts([target], true, out)
    if (outcome === 'done') return 'known'
    // It has been told why.
    exit(outcome === 'unreachable' ? 4 : 2)
    return undefined
  }
  const key = await shownHostKey(target).catch((error: unknown) => {
    if (!(error instanceof ConnectionError)) throw error
    process.stderr.write(`${redact(error.describe())}\n`)
    exit(4)
  })
  if (!key) return undefined
  if (standingOf(target, key).is === 'same') return 'known'
  process.stderr.write(
    `${host.name} shows another host key, which replace would record; what it lacks is told then\n`,
  )
  return 'new'
}
