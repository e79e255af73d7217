import type { Argv, CommandModule } from 'yargs'
import { InputError } from '../errors.ts'
import { content } from '../modules/content.ts'
import { playbook } from '../playbook/play.ts'
import { quote } from '../playbook/sh.ts'
import { readContent } from '../stack/content.ts'
import { exit } from './exit.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'

const builder = (yargs: Argv) =>
  withRun(yargs)
    .positional('directory', {
      type: 'string',
      demandOption: true,
      describe: 'The site, with its index.html',
    })
    .option('delete', {
      type: 'boolean',
      default: false,
      describe: 'Remove from the share what is not in the directory',
    })
    .example('$0 content push public', 'All web servers show it at once')
    .example('$0 content push public --delete --check --diff', 'Show what would be sent and removed')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

const pushCommand: CommandModule<object, Arguments> = {
  command: 'push <directory>',
  describe: 'Put the files of a directory into the share',
  builder,
  handler: push,
}

/** `bramble content`: what the site serves. */
export const contentCommand: CommandModule = {
  command: 'content',
  describe: 'Put a site into the share',
  builder: (yargs) => yargs.command(pushCommand).demandCommand(1, 'say what to do: push').strict(),
  handler: () => {},
}

async function push(argv: Arguments): Promise<void> {
  const { directory, delete: remove } = argv
  const files = await readContent(directory)
  const inventory = await inventoryFor(argv)
  const hosts = inventory.group('nfs_server')
  if (hosts.length === 0) {
    throw new InputError('there is no share', { expected: 'a host in the group nfs_server' })
  }
  const task = content({ path: inventory.settings.nfs.export, files, remove })
  const plays = [{ name: 'content', hosts: 'nfs_server', tasks: () => [task] }]
  const result = await runPlays(
    {
      playbook: playbook({ name: 'content push', plays }),
      file: `content push ${directory}`,
      inventory,
      hosts,
      command: ['bramble content push', quote(directory), ...(remove ? ['--delete'] : [])],
      whole: true,
    },
    argv,
  )
  exit(codeOf(result, argv.check))
}
