import { readFileSync } from 'node:fs'
import yargs, { type CommandModule } from 'yargs'
import { BrambleError, InputError } from '../errors.ts'
import { written } from '../report/written.ts'
import { redact } from '../secrets/secret.ts'
import { exit, exitCode } from './exit.ts'
import { AskingInterrupted } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Commands and the modules they live in: each is loaded only when it is called, or listed by --help. */
const commands: Record<string, () => Promise<CommandModule<object, never>>> = {
  apply: async () => (await import('./apply.ts')).applyCommand as CommandModule<object, never>,
  list: async () => (await import('./list.ts')).listCommand as CommandModule<object, never>,
  status: async () => (await import('./status.ts')).statusCommand as CommandModule<object, never>,
  facts: async () => (await import('./facts.ts')).factsCommand as CommandModule<object, never>,
  exec: async () => (await import('./exec.ts')).execCommand as CommandModule<object, never>,
  content: async () => (await import('./content.ts')).contentCommand as CommandModule<object, never>,
  reset: async () => (await import('./reset.ts')).resetCommand as CommandModule<object, never>,
  trust: async () => (await import('./trust.ts')).trustCommand as CommandModule<object, never>,
  init: async () => (await import('./init.ts')).initCommand as CommandModule<object, never>,
  node: async () => (await import('./node.ts')).nodeCommand as CommandModule<object, never>,
  secret: async () => (await import('./secret.ts')).secretCommand as CommandModule<object, never>,
  drill: async () => (await import('./drill.ts')).drillCommand as CommandModule<object, never>,
  lab: async () => (await import('./lab.ts')).labCommand as CommandModule<object, never>,
}

/** The command line: returns the exit code, once all that was printed has left the process, which may be ended now. */
export async function main(argv: readonly string[]): Promise<number> {
  const code = await run(argv)
  await Promise.all([process.stdout, process.stderr].map(written))
  return code
}

async function run(argv: readonly string[]): Promise<number> {
  const [word = ''] = argv
  const named = Object.hasOwn(commands, word) ? commands[word] : undefined
  const modules = await Promise.all((named ? [named] : Object.values(commands)).map((load) => load()))
  let parser = yargs([...argv])
    .scriptName('bramble')
    .usage('$0 <command>\n\nFrom fresh Raspberry Pis to a highly available web service, over SSH.')
    .parserConfiguration({
      'populate--': true,
      // `--tags web playbooks/site.ts` names one tag and a playbook.
      'greedy-arrays': false,
    })
    .check(onceEach)
    .check(nothingApart)
    .strictCommands()
    .strict()
    .demandCommand(1, 'Name a command; bramble --help lists them.')
    .recommendCommands()
    .version(version)
    .alias('help', 'h')
    .exitProcess(false)
    .fail((message: string | undefined, error: Error | undefined) => {
      throw (
        error ??
        new BrambleError(message ?? 'bad arguments', {
          next: `bramble ${named ? `${argv[0]} ` : ''}--help`,
        })
      )
    })
  for (const command of modules) parser = parser.command(command)
  try {
    await parser.parseAsync()
  } catch (error) {
    if (error instanceof AskingInterrupted) return 130
    process.stderr.write(`${redact(error instanceof BrambleError ? error.describe() : explain(error))}\n`)
    exit(1)
  }
  return exitCode()
}

/** Flags that may be repeated; yargs would hand the others on as lists that nobody expects. */
const repeatable = new Set(['_', '--', 'tags', 'fresh', 'groups', 'recipient', 'name'])

function onceEach(parsed: Record<string, unknown>): true {
  for (const [name, value] of Object.entries(parsed)) {
    if (name.length > 1 && Array.isArray(value) && !repeatable.has(name)) {
      throw new InputError(`--${name} is given more than once`, { found: value.join(', ') })
    }
  }
  return true
}

/** These run what stands after `--`; yargs would not tell the others of it. */
const runners = ['exec', 'lab exec', 'lab ssh']

function nothingApart(parsed: Record<string, unknown>): true {
  const apart = parsed['--']
  if (!Array.isArray(apart) || apart.length === 0) return true
  const [word = '', then = ''] = (parsed['_'] as unknown[]).map(String)
  if (runners.includes(word) || runners.includes(`${word} ${then}`)) return true
  throw new InputError(`bramble ${word} runs no command`, {
    found: `-- ${apart.join(' ')}`,
    next: 'leave the -- out',
  })
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.stack ?? error.message}\n  next:     This is a bug in bramble: please report it with the lines above.`
}
