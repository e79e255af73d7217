import { homedir } from 'node:os'
import { loadInventory, type Host } from '../../src/inventory/index.ts'
import { measure, median } from './measure.ts'
import type { Result } from './result.ts'
import { program } from './tools.ts'

/** What is measured, and the seconds that it may take beyond the floor on emulated machines. */
const cases = [
  { title: 'second apply', words: ['apply', '-o', 'json'], more: 1.5 },
  { title: 'status', words: ['status'], more: 1 },
] as const

/**
 * How long a second apply of the shipped site and `bramble status` take on the lab, beside `ssh host true` to the same
 * hosts, in turn. It needs `bramble lab up` and `bramble apply -i inventory/lab` before.
 */
export async function lab(rounds: number, log: (line: string) => void): Promise<Result[]> {
  const { hosts } = await loadInventory('inventory/lab')
  const floor: number[] = []
  const bramble: number[][] = cases.map(() => [])
  for (let round = 1; round <= rounds; round += 1) {
    const start = performance.now()
    await Promise.all(hosts.map((host) => measure({ words: ['ssh', ...sshArguments(host)] })))
    floor.push((performance.now() - start) / 1000)
    log(`round ${round}, floor: ${floor.at(-1)?.toFixed(2)} s`)
    for (const [index, { title, words }] of cases.entries()) {
      const command = [process.execPath, program, ...words, '-i', 'inventory/lab']
      const { seconds } = await measure({ words: command })
      bramble[index]?.push(seconds)
      log(`round ${round}, ${title}: ${seconds.toFixed(2)} s`)
    }
  }
  return cases.map(({ title, more: allowed }, index) => {
    const times = { floor, bramble: bramble[index] ?? [] }
    const more = median(times.bramble) - median(floor)
    const target = { text: `at most ${allowed} s more than the floor`, reached: more <= allowed }
    return { title, hosts: hosts.length, times, targets: [target], notes: [`${more.toFixed(2)} s more`] }
  })
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
