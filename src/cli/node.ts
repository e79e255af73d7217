import type { CommandModule } from 'yargs'
import { addCommand } from './node-add.ts'

/** `bramble node`: nodes that come and go. */
export const nodeCommand: CommandModule = {
  command: 'node',
  describe: 'Nodes that come and go',
  builder: (yargs) => yargs.command(addCommand).demandCommand(1, 'say what to do: add').strict(),
  handler: () => {},
}
