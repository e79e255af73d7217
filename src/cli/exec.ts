import type { Argv, CommandModule } from 'yargs'
import { InputError } from '../errors.ts'
import { quote } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { eachHost } from './each-host.ts'
import { checkTimeout, withBecomePassword, withInventory } from './options.ts'

const builder = (yargs: Argv) =>
  withBecomePassword(withInventory(yargs))
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
  checkTimeout(argv.timeout)
  if (words.length === 0) throw new InputError('no command given', { next: 'bramble exec all -- uptime' })
  const command = words.map(quote).join(' ')
  await eachHost(argv, async (host, session) => {
    const { answers } = await session.run([command], argv.timeout)
    const { code, stdout, stderr } = answers[0] ?? { code: 1, stdout: '', stderr: '' }
    show(process.stdout, host.name, stdout)
    show(process.stderr, host.name, stderr)
    if (code !== 0) show(process.stderr, host.name, `exited with code ${code}`)
    return code === 0
  })
}

function show(stream: NodeJS.WriteStream, name: string, text: string): void {
  const lines = redact(text).trimEnd().split('\n')
  if (text.trim() !== '') stream.write(lines.map((line) => `${name}  ${line}\n`).join(''))
}
