import type { Argv, CommandModule } from 'yargs'
import { limitHosts } from '../engine/run.ts'
import { InputError } from '../errors.ts'
import type { Host, Inventory } from '../inventory/index.ts'
import { leave, mayGo } from '../nodes/leave.ts'
import { endOfSwarm } from '../nodes/end.ts'
import { outOfService } from '../nodes/service.ts'
import { playbook, type Play } from '../playbook/play.ts'
import { quote } from '../playbook/sh.ts'
import { confirm } from './confirm.ts'
import { exit } from './exit.ts'
import { resetPlays } from './node-common.ts'
import { codeOf, inventoryFor, runPlays, withRun } from './run.ts'

const builder = (yargs: Argv) =>
  withRun(yargs)
    .positional('pattern', { type: 'string', default: 'all', describe: 'Hosts: a pattern' })
    .option('packages', {
      type: 'boolean',
      default: false,
      describe: 'Remove Docker with all of its data, NFS and rsync as well',
    })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 reset rpi3', 'Take away what was put on one node; apply takes it again')
    .example('$0 reset --check', 'Show what taking everything away would do')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

/** `bramble reset`. */
export const resetCommand: CommandModule<object, Arguments> = {
  command: 'reset [pattern]',
  describe:
    'Take away what was put on hosts; the content of the share stays, and packages without --packages',
  builder,
  handler: reset,
}

async function reset(argv: Arguments): Promise<void> {
  const { pattern, packages, check } = argv
  const inventory = await inventoryFor(argv)
  const hosts = limitHosts(inventory, pattern, '')
  const whole = hosts.length === inventory.hosts.length
  const plays = [
    ...(whole ? endOfSwarm(inventory) : oneByOne(inventory, hosts)),
    ...(await resetPlays(inventory, hosts, packages)),
  ]
  const names = hosts.map(({ name }) => name).join(', ')
  const what = packages
    ? 'the cluster’s files and services, NFS, rsync, and Docker with all of its data'
    : 'the cluster’s files and services'
  const server = whole ? undefined : hosts.find((host) => host.in('nfs_server'))
  const meanwhile = server
    ? ` ${server.name} is the NFS server: the site is served from the mirrors until it is back.`
    : ''
  if (!check && !argv.yes) await confirm(`Take ${what} away from ${names}?${meanwhile}`)
  const flags = [...(packages ? ['--packages'] : []), '--yes']
  const result = await runPlays(
    {
      playbook: playbook({ name: 'reset', plays }),
      file: `reset ${pattern}`,
      inventory,
      hosts: inventory.hosts,
      command: ['bramble reset', quote(pattern), ...flags],
      whole: true,
    },
    argv,
  )
  exit(codeOf(result, check))
}

/** Each leaves while the others go on serving. */
function oneByOne(inventory: Inventory, hosts: readonly Host[]): Play[] {
  const next = 'bramble reset takes the whole cluster away'
  for (const [group, what] of [
    ['managers', 'manager'],
    ['loadbalancers', 'load balancer'],
  ] as const) {
    const all = inventory.group(group)
    // Where there is one only, the site goes with it in any case.
    const several = group === 'managers' || all.length > 1
    if (several && all.every((host) => hosts.includes(host)))
      throw new InputError(`these are all ${what}s of the cluster`, {
        expected: `a ${what} that stays`,
        next,
      })
  }
  return hosts.flatMap((host) => [
    ...mayGo(host, inventory, false),
    ...outOfService(host, inventory),
    ...leave(host, inventory, false),
  ])
}
