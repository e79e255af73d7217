import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { BrambleError, InputError } from '../errors.ts'
import { commandLine, isAlive } from './process.ts'
import { until } from './wait.ts'

const labProcess = z.object({ pid: z.int().positive(), mark: z.string().min(1) })

const labMachine = z.object({
  name: z.string(),
  address: z.string(),
  mac: z.string(),
  flavour: z.enum(['docker', 'fresh']),
  process: labProcess.optional(),
})

const labState = z.object({
  arch: z.enum(['amd64', 'arm64']),
  accelerator: z.enum(['kvm', 'tcg']),
  /** MiB a machine. */
  memory: z.number(),
  uplink: labProcess.optional(),
  machines: z.array(labMachine),
})

export type LabMachine = z.infer<typeof labMachine>
export type LabState = z.infer<typeof labState>

export interface LabPaths {
  directory: string
  base: string
  run: string
  state: string
  key: string
  hostKeys: string
  knownHosts: string
}

/** Where the lab keeps its files: `~/.cache/bramble/lab`, or `BRAMBLE_LAB_DIR`. */
export function labPaths(): LabPaths {
  const directory = process.env['BRAMBLE_LAB_DIR'] ?? join(homedir(), '.cache', 'bramble', 'lab')
  return {
    directory,
    base: join(directory, 'base'),
    run: join(directory, 'run'),
    state: join(directory, 'run', 'state.json'),
    key: join(directory, 'id_ed25519'),
    hostKeys: join(directory, 'host-keys'),
    knownHosts: join(directory, 'known_hosts'),
  }
}

/** What is recorded of the lab in this directory; undefined when there is none. */
export function readState(): LabState | undefined {
  const { state } = labPaths()
  let text: string
  try {
    text = readFileSync(state, 'utf8')
  } catch {
    return undefined
  }
  try {
    return labState.parse(JSON.parse(text))
  } catch (cause) {
    throw new BrambleError(`the lab’s record ${state} cannot be read`, {
      next: `end what is left of the lab by hand, then remove ${state}`,
      cause,
    })
  }
}

export function writeState(state: LabState): void {
  const { state: path, run } = labPaths()
  mkdirSync(run, { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(state, undefined, 2))
  renameSync(`${path}.new`, path)
}

// There is one namespace `bramble-lab` on a computer, so there is one owner of it, and one lock.
const ownerFile = '/run/bramble-lab.owner'
const lockFile = '/run/bramble-lab.lock'

/** The directory of the lab that has the namespace; undefined when none is recorded. */
export function owner(): string | undefined {
  try {
    return readFileSync(ownerFile, 'utf8')
  } catch {
    return undefined
  }
}

export function setOwner(directory: string | undefined): void {
  if (directory === undefined) rmSync(ownerFile, { force: true })
  else writeFileSync(ownerFile, directory)
}

/** Runs with no other lab command changing the lab at the same time; waits up to a minute for one that does. */
export async function locked<T>(work: () => Promise<T>): Promise<T> {
  try {
    await until('the lock', 60_000, takeLock)
  } catch (cause) {
    throw new InputError('another lab command is at work', {
      found: `process ${readLock()?.pid ?? 'unknown'} holds ${lockFile}`,
      next: 'wait until it has ended, then run this again',
      cause,
    })
  }
  try {
    return await work()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function takeLock(): boolean {
  const holder = readLock()
  if (holder && !isAlive(holder)) rmSync(lockFile, { force: true })
  try {
    writeFileSync(lockFile, JSON.stringify({ pid: process.pid, mark: commandLine(process.pid) }), {
      flag: 'wx',
    })
    return true
  } catch {
    return false
  }
}

function readLock(): z.infer<typeof labProcess> | undefined {
  try {
    return labProcess.parse(JSON.parse(readFileSync(lockFile, 'utf8')))
  } catch {
    return undefined
  }
}
