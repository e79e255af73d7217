import type { CommandModule } from 'yargs'
import { addCommand } from './node-add.ts'
import { nodeRemoveCommand } from './node-remove.ts'
import { nodeReplaceCommand } from './node-replace.ts'

/** `bramble node`: machines come and go. */
export const nodeCommand: CommandModule = {
  command: 'node',
  describe: 'Add, remove or replace a node',
  builder: (yargs) =>
    yargs
      .command(addCommand)
      .command(nodeRemoveCommand)
      .command(nodeReplaceCommand)
      .demandCommand(1, 'say what to do: add, remove or replace')
      .strict(),
  handler: () => {},
}
