import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { performance } from 'node:perf_hooks'
import { loadInventory, type Host } from '../../src/inventory/index.ts'

/*
 * How long a second apply of the site takes beside what is least: `ssh host true` to the same hosts, side by side.
 * Both in turn, in one run, against the lab: `bramble lab up`, `bramble apply -i inventory/lab`, `npm run bench`.
 */

const rounds = Number(process.argv[2] ?? 5)
const { hosts } = await loadInventory('inventory/lab')

const plain: number[] = []
const apply: number[] = []
for (let round = 1; round <= rounds; round += 1) {
  plain.push(await seconds(() => Promise.all(hosts.map((host) => run('ssh', sshArguments(host))))))
  apply.push(
    await seconds(() => run(process.execPath, ['bin/bramble', 'apply', '-i', 'inventory/lab', '-o', 'json'])),
  )
  console.log(`${round}  ssh host true ${at(plain, -1)} s   bramble apply ${at(apply, -1)} s`)
}
console.log(
  `median: ssh host true ${median(plain).toFixed(2)} s, bramble apply ${median(apply).toFixed(2)} s,`,
)
console.log(
  `difference ${median(apply.map((one, index) => one - (plain[index] ?? 0))).toFixed(2)} s, ratio ${(median(apply) / median(plain)).toFixed(2)}`,
)

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

async function seconds(what: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await what()
  return (performance.now() - start) / 1000
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} exited with code ${code}`)),
    )
  })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

function at(values: readonly number[], index: number): string {
  return (values.at(index) ?? 0).toFixed(2)
}
