import { setTimeout as delay } from 'node:timers/promises'
import type { Argv, CommandModule } from 'yargs'
import { limitHosts } from '../engine/run.ts'
import { ConnectionError } from '../errors.ts'
import { coloured, plain } from '../report/text.ts'
import { redact } from '../secrets/secret.ts'
import { render } from '../status/render.ts'
import type { ClusterStatus } from '../status/types.ts'
import { exit } from './exit.ts'
import { lookout } from './look.ts'
import { outputOf, withBecomePassword, withInventory, withLimit, withOutput } from './options.ts'
import { projectDirectory, reach, rootInventoryOf } from './project.ts'
import { fullScreen, interruption, noteWaiting } from './terminal.ts'

/** Seconds between two looks of --watch. */
const INTERVAL = 3

const builder = (yargs: Argv) =>
  withOutput(withLimit(withBecomePassword(withInventory(yargs))))
    .option('watch', {
      type: 'boolean',
      default: false,
      describe: `Look again every ${INTERVAL} seconds, until Ctrl-C`,
    })
    .example('$0 status', 'How the cluster is, and what to do where it is not well')
    .example('$0 status -o json', 'The same as one JSON object')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const statusCommand: CommandModule<object, Arguments> = {
  command: 'status',
  describe: 'Show how the cluster is, and what to do where it is not well',
  builder,
  handler: show,
}

async function show(argv: Arguments): Promise<void> {
  const chosen = outputOf(argv.output)
  const terminal = process.stdout.isTTY && process.env['TERM'] !== 'dumb'
  const output = chosen === 'tty' && !terminal ? 'lines' : chosen
  const inventory = await rootInventoryOf(argv)
  const hosts = limitHosts(inventory, argv.limit)
  const targetOf = await reach(projectDirectory(), hosts)
  const sight = lookout(inventory, argv.inventory, hosts, targetOf)
  try {
    if (argv.watch) return await watch(output, async () => (await sight.look(true)).status)
    const looking = sight.look(false)
    const { status, asked } = await (output === 'tty' ? noteWaiting(() => sight.waiting(), looking) : looking)
    print(output, status)
    if (asked.every((one) => one instanceof ConnectionError)) exit(4)
    else if (!status.ok) exit(2)
  } finally {
    sight.close()
  }
}

type Output = ReturnType<typeof outputOf>

/** Looks again and again, until the user has seen enough. */
async function watch(output: Output, look: () => Promise<ClusterStatus>): Promise<void> {
  const { signal, done } = interruption()
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined))
  })
  const screen = output === 'tty' ? fullScreen(process.stdout) : undefined
  let last: ClusterStatus | undefined
  const draw = () => last && screen?.draw(text(last, output, process.stdout.rows))
  process.stdout.on('resize', draw)
  try {
    for (let round = 0; !signal.aborted; round += 1) {
      const found = await Promise.race([look(), aborted])
      if (!found) break
      last = found
      if (screen) draw()
      else print(output, found, round > 0)
      await delay(INTERVAL * 1000, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    done()
    process.stdout.off('resize', draw)
    screen?.close()
    if (screen && last) print(output, last)
  }
}

function print(output: Output, status: ClusterStatus, again = false): void {
  const block = output === 'json' ? [JSON.stringify(status)] : text(status, output)
  process.stdout.write(redact(`${again && output !== 'json' ? '\n' : ''}${block.join('\n')}\n`))
}

function text(status: ClusterStatus, output: Output, rows?: number): string[] {
  const columns = process.stdout.columns || 80
  const paint = output === 'tty' && !process.env['NO_COLOR'] ? coloured : plain
  return render(status, { columns, paint, ...(rows !== undefined && { rows }) })
}
