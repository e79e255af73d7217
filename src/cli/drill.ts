import type { Argv, CommandModule } from 'yargs'
import type { Drill } from '../drill/catalogue.ts'
import { startLoad, type Load } from '../drill/load.ts'
import { skippedDrill, type DrillResult, type DrillsResult } from '../drill/result.ts'
import { runDrill } from '../drill/run.ts'
import type { Access } from '../drill/stage.ts'
import { markLine, resultLines, summaryLine } from '../drill/text.ts'
import { BrambleError } from '../errors.ts'
import type { Inventory } from '../inventory/index.ts'
import { coloured, plain, type Paint } from '../report/text.ts'
import { redact } from '../secrets/secret.ts'
import { confirm } from './confirm.ts'
import { drillAccess } from './drill-access.ts'
import { chosen, listed, refusal, refuse } from './drill-choice.ts'
import { theLab } from './drill-lab.ts'
import { allWell, concluded, makeFolder, writeReport } from './drill-outcome.ts'
import { exit } from './exit.ts'
import { outputOf, withBecomePassword, withInventory, withOutput } from './options.ts'
import { projectDirectory, reach, rootInventoryOf } from './project.ts'
import { interruption, outliveReader } from './terminal.ts'

const builder = (yargs: Argv) =>
  withOutput(withBecomePassword(withInventory(yargs)))
    .positional('name', { type: 'string', array: true, describe: 'Drills to run, one after another' })
    .option('list', { type: 'boolean', default: false, describe: 'Show all drills with their bounds' })
    .option('all', { type: 'boolean', default: false, describe: 'Run all drills that can be run here' })
    .option('report', {
      type: 'string',
      describe: 'Folder for the report [default: a new one in .bramble/drills]',
    })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 drill --list', 'What can be drilled, and what clients may notice of it')
    .example('$0 drill nginx-kill haproxy-kill', 'Two of them, on your own cluster')
    .example('$0 drill --all -i inventory/lab', 'All of them, on virtual Pis')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

/** `bramble drill`. */
export const drillCommand: CommandModule<object, Arguments> = {
  command: 'drill [name..]',
  describe: 'Break something on purpose, and measure what clients notice of it',
  builder,
  handler: drill,
}

async function drill(argv: Arguments): Promise<void> {
  const output = outputOf(argv.output)
  if (argv.list) return print(listed(output))
  const drills = chosen(argv)
  const inventory = await rootInventoryOf(argv)
  const lab = await theLab(inventory)
  const url = urlOf(inventory)
  if (!argv.all) refuse(drills, inventory, lab !== undefined)
  if (!lab) await agree(drills, inventory, argv.yes, url)
  makeFolder(argv.report)
  const targetOf = await reach(projectDirectory(), inventory.hosts)
  const { signal, done } = interruption()
  outliveReader(process.stdout)
  const paint = output === 'tty' && !process.env['NO_COLOR'] ? coloured : plain
  const tell = output === 'json' ? () => undefined : (line: string) => print([line])
  const plugs = lab && { plugs: lab.plugs }
  const access = drillAccess({ inventory, path: argv.inventory, targetOf, signal, ...plugs })
  const begin = () => startLoad([url], { via: lab?.via ?? [] })
  const result: DrillsResult = {
    ok: false,
    time: new Date().toISOString(),
    url,
    lab: lab?.what ?? null,
    drills: [],
  }
  let failure: BrambleError | undefined
  try {
    await runAll(drills, { access, begin, tell, paint, results: result.drills })
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    failure = error
  } finally {
    access.close()
    done()
  }
  result.ok = allWell(result.drills, drills.length)
  if (output === 'json') print([JSON.stringify(result)])
  exit(concluded(result, failure, signal.aborted))
  if (result.drills.length > 0) {
    tell(summaryLine(result, paint))
    leaveReport(result, argv.report, tell)
  }
}

/** Where it cannot be written, what the drills have found is told all the same, and by the exit code. */
function leaveReport(result: DrillsResult, folder: string | undefined, tell: (line: string) => void): void {
  try {
    tell(`report in ${writeReport(result, folder)}`)
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    process.emitWarning(redact(error.describe()))
  }
}

/** Somebody uses a cluster of one's own. Errors: InputError without a yes. */
async function agree(
  drills: readonly Drill[],
  inventory: Inventory,
  yes: boolean,
  url: string,
): Promise<void> {
  if (yes) return
  const names = drills.filter((one) => refusal(one, inventory, false) === undefined).map(({ name }) => name)
  await confirm(
    `Break things in the cluster at ${url}, whose users may notice it: ${names.join(', ')}?`,
    'give --yes; bramble drill --list tells what each drill does',
  )
}

interface Work {
  access: Access
  begin: () => Load
  tell: (line: string) => void
  paint: Paint
  /** What came of those that have been run. */
  results: DrillResult[]
}

/** One after another, until one is interrupted. */
async function runAll(
  drills: readonly Drill[],
  { access, begin, tell, paint, results }: Work,
): Promise<void> {
  for (const one of drills) {
    tell(`${paint('bold', one.name)}  ${one.title}`)
    const reason = refusal(one, access.cluster, access.plugs !== undefined)
    const result = reason
      ? skippedDrill(one, reason)
      : await runDrill(one, access, begin, ({ at, what }, began) => tell(markLine((at - began) / 1000, what)))
    if (!result) return
    results.push(result)
    for (const line of resultLines(result, paint)) tell(line)
  }
}

function urlOf({ settings: { vip, haproxy } }: Inventory): string {
  return `http://${vip.address}${haproxy.port === 80 ? '' : `:${haproxy.port}`}/`
}

function print(lines: readonly string[]): void {
  process.stdout.write(redact(`${lines.join('\n')}\n`))
}
