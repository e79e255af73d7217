import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { catalogue, type Drill } from '../drill/catalogue.ts'
import { startLoad } from '../drill/load.ts'
import { drillPicture } from '../drill/picture.ts'
import { drillReport } from '../drill/report.ts'
import { skippedDrill, type DrillResult, type DrillsResult } from '../drill/result.ts'
import { runDrill } from '../drill/run.ts'
import { amount, markLine, resultLines, summaryLine } from '../drill/text.ts'
import { BrambleError, ConnectionError, InputError } from '../errors.ts'
import { didYouMean } from '../inventory/nearest.ts'
import { replaceFile } from '../replace-file.ts'
import { coloured, plain } from '../report/text.ts'
import { redact } from '../secrets/secret.ts'
import { confirm } from './confirm.ts'
import { drillAccess } from './drill-access.ts'
import { theLab } from './drill-lab.ts'
import { exit } from './exit.ts'
import { outputOf, withInventory, withOutput } from './options.ts'
import { inventoryOf, projectDirectory, reach } from './project.ts'
import { interruption, outliveReader } from './terminal.ts'

const builder = (yargs: Argv) =>
  withOutput(withInventory(yargs))
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
  const paint = output === 'tty' && !process.env['NO_COLOR'] ? coloured : plain
  const tell = (line: string) => {
    if (output !== 'json') process.stdout.write(`${redact(line)}\n`)
  }
  if (argv.list) return list(output)
  const asked = chosen(argv)
  const inventory = await inventoryOf(argv.inventory)
  const lab = await theLab(inventory)
  const drills = asked.map((one) => ({ one, refusal: lab ? undefined : refusal(one) }))
  const { vip, haproxy } = inventory.settings
  const url = `http://${vip.address}${haproxy.port === 80 ? '' : `:${haproxy.port}`}/`
  if (!argv.all) refuse(drills)
  if (!lab && !argv.yes) {
    const names = drills.filter(({ refusal: reason }) => !reason).map(({ one }) => one.name)
    await confirm(`Break things in the cluster at ${url}, whose users may notice it: ${names.join(', ')}?`)
  }
  const targetOf = await reach(projectDirectory(), inventory.hosts)
  const { signal, done } = interruption()
  outliveReader(process.stdout)
  const access = drillAccess({
    inventory,
    path: argv.inventory,
    targetOf,
    signal,
    ...(lab && { plugs: lab.plugs }),
  })
  const result: DrillsResult = {
    ok: false,
    time: new Date().toISOString(),
    url,
    lab: lab?.what ?? null,
    drills: [],
  }
  let failure: BrambleError | undefined
  try {
    for (const { one, refusal: reason } of drills) {
      tell(`${paint('bold', one.name)}  ${one.title}`)
      const found = reason
        ? skippedDrill(one, reason)
        : await runDrill(
            one,
            access,
            () => startLoad([url], { via: lab?.via ?? [] }),
            (mark, began) => tell(markLine((mark.at - began) / 1000, mark.what)),
          )
      if (!found) break
      result.drills.push(found)
      for (const line of resultLines(found, paint)) tell(line)
    }
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    failure = error
  } finally {
    access.close()
    done()
  }
  const all = result.drills.length === drills.length
  result.ok = all && result.drills.every(({ ok, as_before: asBefore }) => ok && asBefore)
  if (result.drills.length > 0)
    tell(`${summaryLine(result, paint)}; report in ${writeReport(result, argv.report)}`)
  if (output === 'json') process.stdout.write(`${redact(JSON.stringify(result))}\n`)
  if (failure) process.stderr.write(`${redact(failure.describe())}\n`)
  if (signal.aborted) process.stderr.write('interrupted: what was cut has been put back\n')
  exit(codeOf(result, { failure, interrupted: signal.aborted }))
}

function codeOf(
  { ok }: DrillsResult,
  { failure, interrupted }: { failure: BrambleError | undefined; interrupted: boolean },
): number {
  if (interrupted) return 130
  if (failure instanceof ConnectionError) return 4
  return ok ? 0 : 2
}

/** Errors: InputError for a drill that there is not, and when none is named. */
function chosen({ name, all }: Arguments): readonly Drill[] {
  const names = catalogue.map((one) => one.name)
  if (all && name)
    throw new InputError('--all runs every drill, and some are named', { found: name.join(' ') })
  if (all) return catalogue
  if (!name || name.length === 0) {
    throw new InputError('no drill is named', {
      expected: names.join(', '),
      next: 'bramble drill --list tells what each does; --all runs all of them',
    })
  }
  return name.map((one) => {
    const found = catalogue.find((drill) => drill.name === one)
    if (found) return found
    throw new InputError(`there is no drill ${one}`, {
      next: didYouMean(one, names, `there are: ${names.join(', ')}`),
    })
  })
}

/** Why a drill cannot be run where nobody can pull plugs. */
function refusal({ needs }: Drill): string | undefined {
  return needs && `it needs somebody who ${needs === 'power' ? 'cuts the power' : 'pulls a network cable'}`
}

function refuse(drills: readonly { one: Drill; refusal: string | undefined }[]): void {
  for (const { one, refusal: reason } of drills) {
    if (!reason) continue
    throw new InputError(`${one.name} cannot be run here: ${reason}`, {
      next: 'virtual Pis have plugs that a program can pull: bramble lab up, bramble apply -i inventory/lab, then add -i inventory/lab here',
    })
  }
}

function list(output: 'tty' | 'lines' | 'json'): void {
  if (output === 'json') {
    const drills = catalogue.map(({ name, title, needs, bounds }) => ({
      name,
      title,
      needs: needs ?? null,
      bounds: bounds.map(({ what, limit, unit }) => ({ what, limit, unit })),
    }))
    process.stdout.write(`${JSON.stringify({ drills })}\n`)
    return
  }
  for (const { name, title, needs, bounds } of catalogue) {
    const limits = bounds.map(({ what, limit, unit }) => `${what} at most ${amount(limit, unit)}`)
    process.stdout.write(`${name}  ${title}${needs ? ' (lab only)' : ''}\n    ${limits.join(', ')}\n`)
  }
}

/** Writes the report, its picture and its figures; the folder they are in. */
function writeReport(result: DrillsResult, folder: string | undefined): string {
  const stamp = result.time.slice(0, 19).replaceAll(':', '-')
  const directory = folder ?? join('.bramble/drills', stamp)
  const files = {
    'report.md': drillReport(result, 'availability.svg'),
    'availability.svg': drillPicture(result),
    'drills.json': `${JSON.stringify(result)}\n`,
  }
  mkdirSync(resolve(projectDirectory(), directory), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    replaceFile(resolve(projectDirectory(), directory, name), redact(text), 0o644)
  }
  return directory
}
