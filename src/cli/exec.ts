import type { Argv, CommandModule } from 'yargs'
import { ConnectionError, InputError, BrambleError } from '../errors.ts'
import { loadInventory } from '../inventory/index.ts'
import { limitHosts } from '../engine/run.ts'
import { redact } from '../secrets/secret.ts'
import { openSession } from '../ssh/session.ts'
import type { Target } from '../ssh/target.ts'
import { quote } from '../playbook/sh.ts'
import { exit } from './exit.ts'
import { withInventory } from './options.ts'
import { projectDirectory, reach } from './project.ts'

const builder = (yargs: Argv) =>
  withInventory(yargs)
    .positional('pattern', { type: 'string', demandOption: true, describe: 'Hosts: a pattern' })
    .option('timeout', { type: 'number', default: 600, describe: 'Seconds the command may take' })
    .example('$0 exec all -- uptime', 'One command, as root, on every host')
    .example("$0 exec managers -- sh -c 'docker node ls | head -3'", 'A pipe needs a shell')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const execCommand: CommandModule<object, Arguments> = {
  command: 'exec <pattern>',
  describe: 'Run a command on hosts, as root, side by side',
  builder,
  handler: execute,
}

async function execute(argv: Arguments & { '--'?: (string | number)[] }): Promise<void> {
  const words = (argv['--'] ?? []).map(String)
  if (words.length === 0) throw new InputError('no command given', { next: 'bramble exec all -- uptime' })
  const inventory = await loadInventory(argv.inventory)
  const command = words.map(quote).join(' ')
  const hosts = limitHosts(inventory, argv.pattern, '')
  const targetOf = await reach(projectDirectory(), hosts)
  const outcomes = await Promise.all(hosts.map((host) => runOn(targetOf(host), command, argv.timeout)))
  if (outcomes.every((outcome) => outcome === 'unreachable')) exit(4)
  else if (outcomes.some((outcome) => outcome !== 'done')) exit(2)
}

async function runOn(
  target: Target,
  command: string,
  timeout: number,
): Promise<'done' | 'failed' | 'unreachable'> {
  try {
    const session = await openSession(target)
    try {
      const { answers } = await session.run([command], timeout)
      const { code, stdout, stderr } = answers[0] ?? { code: 1, stdout: '', stderr: '' }
      show(process.stdout, target.name, stdout)
      show(process.stderr, target.name, stderr)
      if (code !== 0) show(process.stderr, target.name, `exited with code ${code}`)
      return code === 0 ? 'done' : 'failed'
    } finally {
      session.close()
    }
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    process.stderr.write(`${redact(error.describe())}\n`)
    return error instanceof ConnectionError ? 'unreachable' : 'failed'
  }
}

function show(stream: NodeJS.WriteStream, name: string, text: string): void {
  const lines = text.trimEnd().split('\n')
  if (text.trim() !== '') stream.write(lines.map((line) => `${name}  ${redact(line)}\n`).join(''))
}
