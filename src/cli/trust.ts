import type { Argv, CommandModule } from 'yargs'
import { limitHosts } from '../engine/run.ts'
import { BrambleError, ConnectionError, InputError } from '../errors.ts'
import { redact } from '../secrets/secret.ts'
import { shownHostKey } from '../ssh/connection.ts'
import { nameInFiles, shown, standingOf, type Standing } from '../ssh/host-key.ts'
import { replaceKnownKey } from '../ssh/replace-key.ts'
import type { Target } from '../ssh/target.ts'
import { route } from '../ssh/unlock.ts'
import { exit } from './exit.ts'
import { withInventory } from './options.ts'
import { inventoryOf, projectDirectory, reach } from './project.ts'
import { askYes } from './terminal.ts'

const builder = (yargs: Argv) =>
  withInventory(yargs)
    .positional('pattern', { type: 'string', demandOption: true, describe: 'Hosts: a pattern' })
    .option('yes', { alias: 'y', type: 'boolean', default: false, describe: 'Do not ask' })
    .example('$0 trust rpi3', 'After rpi3 was reflashed: record the key it shows now')

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const trustCommand: CommandModule<object, Arguments> = {
  command: 'trust <pattern>',
  describe: 'Record the host keys that hosts show now, in place of old ones',
  builder,
  handler: trust,
}

async function trust(argv: Arguments): Promise<void> {
  const inventory = await inventoryOf(argv.inventory)
  const hosts = limitHosts(inventory, argv.pattern, '')
  if (!argv.yes && !process.stdin.isTTY) {
    throw new InputError('there is no terminal to confirm in', {
      next: 'Compare the keys by other means, and give --yes.',
    })
  }
  const targetOf = await reach(projectDirectory(), hosts)
  const outcomes: Outcome[] = []
  // One after another: a question at a time, and jump hosts before those behind them.
  for (const host of hosts) outcomes.push(await trustHosts(route(targetOf(host)), argv.yes))
  if (outcomes.every((outcome) => outcome === 'unreachable')) exit(4)
  else if (outcomes.some((outcome) => outcome !== 'done')) exit(2)
}

export type Outcome = 'done' | 'declined' | 'unreachable' | 'failed'

/**
 * Records the keys that hosts show now, where they are new; asks first unless `yes`. The last of them is told of in any
 * case: the others are on the way to it. What becomes of each is told in lines on `out`.
 */
export async function trustHosts(
  targets: readonly Target[],
  yes: boolean,
  out: NodeJS.WritableStream = process.stdout,
): Promise<Outcome> {
  try {
    for (const target of targets) {
      const key = await shownHostKey(target)
      const standing = standingOf(target, key)
      if (standing.is === 'same' && target !== targets.at(-1)) continue
      if (!(await trustKey(target, key, standing, yes, (line) => out.write(`${line}\n`)))) return 'declined'
    }
    return 'done'
  } catch (error) {
    if (!(error instanceof BrambleError)) throw error
    process.stderr.write(`${redact(error.describe())}\n`)
    return error instanceof ConnectionError ? 'unreachable' : 'failed'
  }
}

/** Records a key if the user wants it. Errors: BrambleError for one that is revoked. */
async function trustKey(
  target: Target,
  key: Buffer,
  standing: Standing,
  yes: boolean,
  say: (line: string) => void,
): Promise<boolean> {
  const { name, host, port, knownHosts } = target
  const { is, records } = standing
  if (is === 'revoked') {
    throw new BrambleError('its host key is revoked', {
      host: name,
      found: shown(key),
      ...(records[0] && { at: records[0].at }),
      next: 'Make a new one on the host (ssh-keygen -A), or take the @revoked line out if it was wrong.',
    })
  }
  if (is === 'same') {
    say(`${name} (${host}:${port}) shows the key on record: ${shown(key)}`)
    return true
  }
  say(`${name} (${host}:${port})`)
  for (const { key: old, at } of records) say(`  old: ${shown(Buffer.from(old, 'base64'))}  ${at}`)
  say(`  new: ${shown(key)}`)
  if (!yes && !(await askYes(`Trust the new key of ${name}?`))) {
    say(`${name}: left as it was`)
    return false
  }
  await replaceKnownKey(knownHosts, nameInFiles(target), key)
  say(`${name}: recorded in ${knownHosts}`)
  const elsewhere = new Set(
    records.map(({ at }) => at.replace(/:\d+$/, '')).filter((file) => file !== knownHosts),
  )
  for (const file of elsewhere) {
    say(`ssh itself still knows the old key: ssh-keygen -f ${file} -R '${nameInFiles(target)}'`)
  }
  return true
}
