import { homedir } from 'node:os'
import { loadInventory, type Host } from '../../src/inventory/index.ts'
import { measure } from './measure.ts'
import type { Result } from './result.ts'
import { program } from './tools.ts'

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
  return { title: 'lab', hosts: hosts.length, times, targets: [{ ratio: ['bramble', 'floor'], atMost: 1.5 }] }
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
