import { homedir } from 'node:os'
import { loadInventory, type Host } from '../../src/inventory/index.ts'
import { measure, median } from './measure.ts'
import type { Result } from './result.ts'
import { program } from './tools.ts'

/** Seconds that a second apply of the site may take beyond the floor, on emulated machines. */
const MORE = 1.5

/**
 * How long a second apply of the shipped site takes on the lab, beside `ssh host true` to the same hosts, in turn.
 * It needs `bramble lab up` and `bramble apply -i inventory/lab` before.
 */
export async function lab(rounds: number, log: (line: string) => void): Promise<Result> {
  const { hosts } = await loadInventory('inventory/lab')
  const times = { floor: [] as number[], bramble: [] as number[] }
  const apply = { words: [process.execPath, program, 'apply', '-i', 'inventory/lab', '-o', 'json'] }
  for (let round = 1; round <= rounds; round += 1) {
    const start = performance.now()
    await Promise.all(hosts.map((host) => measure({ words: ['ssh', ...sshArguments(host)] })))
    times.floor.push((performance.now() - start) / 1000)
    times.bramble.push((await measure(apply)).seconds)
    log(
      `round ${round}: floor ${times.floor.at(-1)?.toFixed(2)} s, bramble ${times.bramble.at(-1)?.toFixed(2)} s`,
    )
  }
  const more = median(times.bramble) - median(times.floor)
  return {
    title: 'lab',
    hosts: hosts.length,
    times,
    targets: [{ text: `at most ${MORE} s more than the floor`, reached: more <= MORE }],
    notes: [`${more.toFixed(2)} s more`],
  }
}

function sshArguments({ connection, address }: Host): string[] {
  const { keyFile, knownHosts, proxyCommand, user } = connection
  const options = {
    BatchMode: 'yes',
    IdentityFile: keyFile?.replace(/^~/, homedir()),
    UserKnownHostsFile: knownHosts?.replace(/^~/, homedir()),
    ProxyCommand: proxyCommand,
  }
  const flags = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : ['-o', `${name}=${value}`],
  )
  return [...flags, `${user}@${address}`, 'true']
}
