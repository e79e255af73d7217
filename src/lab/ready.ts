import { readFileSync } from 'node:fs'
import { BrambleError } from '../errors.ts'
import { sshCommand } from './keys.ts'
import { isAlive } from './process.ts'
import { machineFiles } from './qemu.ts'
import { attempt } from './run.ts'
import type { LabMachine, LabPaths } from './state.ts'
import { until } from './wait.ts'

const deadline = 10 * 60_000

/** Waits until every machine answers SSH; `started` is when their power was turned on, in ms since 1970. */
export async function waitForSsh(
  paths: LabPaths,
  machines: readonly LabMachine[],
  started: number,
  onProgress: (line: string) => void,
): Promise<void> {
  const results = await Promise.allSettled(
    machines.map(async (machine) => {
      await waitForOne(paths, machine)
      onProgress(`${machine.name}: answers SSH after ${Math.round((Date.now() - started) / 1000)} s`)
    }),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function waitForOne(paths: LabPaths, machine: LabMachine): Promise<void> {
  const answers = async (): Promise<boolean> => {
    if (!machine.process || !isAlive(machine.process)) {
      throw new BrambleError('the virtual Pi went off while it booted', ends(paths, machine))
    }
    return (await attempt(sshCommand(paths, machine, ['true']))).code === 0
  }
  try {
    await until(`${machine.name} to answer SSH`, deadline, answers, 500)
  } catch (error) {
    if (error instanceof BrambleError && error.details.host === undefined) {
      throw new BrambleError(error.message, { ...error.details, ...ends(paths, machine) })
    }
    throw error
  }
}

/** What a machine and its QEMU printed last. */
function ends(paths: LabPaths, { name }: LabMachine): { host: string; stderr: string; next: string } {
  const { console, log } = machineFiles(paths.run, name)
  const text = [log, console].map((path) => readFileSync(path, 'utf8').trimEnd()).join('\n')
  return { host: name, stderr: text, next: `look at ${console}, then: bramble lab down` }
}
