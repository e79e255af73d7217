import type { Argv, CommandModule } from 'yargs'
import { machineFacts } from '../modules/machine-facts.ts'
import type { Facts } from '../playbook/resource.ts'
import { eachHost } from './each-host.ts'
import { withBecomePassword, withInventory } from './options.ts'

const builder = (yargs: Argv) =>
  withBecomePassword(withInventory(yargs))
    .positional('pattern', { type: 'string', default: 'all', describe: 'Hosts: a pattern' })
    .option('output', { alias: 'o', choices: ['lines', 'json'] as const, default: 'lines' as const })
    .example('$0 facts', 'What kind of machine each host is')
    .example('$0 facts rpi1 -o json', 'The same of one, as a JSON object')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const factsCommand: CommandModule<object, Arguments> = {
  command: 'facts [pattern]',
  describe: 'Show what kind of machine each host is',
  builder,
  handler: show,
}

async function show(argv: Arguments): Promise<void> {
  const machine = machineFacts()
  const told = new Map<string, Facts>()
  await eachHost(argv, async (host, session) => {
    const { answers, times } = await session.run([machine.probe.text], 60)
    const [answer] = answers
    if (!answer) return false
    const [answered = Date.now()] = times
    told.set(host.name, machine.facts?.({ ...answer, answered }) ?? {})
    return true
  })
  const byHost = [...told].toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (argv.output === 'json') console.log(JSON.stringify(Object.fromEntries(byHost)))
  else for (const [name, facts] of byHost) console.log(text(name, facts))
}

function text(name: string, facts: Facts): string {
  const lines = Object.entries(facts).map(([key, value]) => `  ${key.padEnd(14)}  ${String(value)}`)
  return [name, ...lines].join('\n')
}
