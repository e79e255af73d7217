/**
 * Virtual Pis: QEMU machines with their own kernel, in a network namespace of their own.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { buildLabImages } from './images.ts'
import { ensureKeys, removeKey, sshCommand } from './keys.ts'
import { boot, create, running, tearDown, uplinkAlive } from './lifecycle.ts'
import type { Arch, Flavour } from './machines.ts'
import { machines } from './machines.ts'
import { namespace, namespaceExists, setTap, taps } from './network.ts'
import type { LabOptions } from './options.ts'
import { assertMemory, assertSame, defaultArch, wantedArch } from './options.ts'
import { end, isAlive } from './process.ts'
import { machineFiles, setLink } from './qemu.ts'
import { waitForSsh } from './ready.ts'
import { ensureRequirements } from './requirements.ts'
import type { LabMachine, LabState } from './state.ts'
import { labPaths, locked, readState, writeState } from './state.ts'

export { inNamespace, proxyCommand } from './network.ts'
export { defaultArch } from './options.ts'
export type { LabOptions } from './options.ts'
export { labPaths } from './state.ts'

export type Progress = (line: string) => void

export interface LabStatus {
  up: boolean
  arch?: Arch
  accelerator?: 'kvm' | 'tcg'
  /** MiB a machine. */
  memory?: number
  directory: string
  machines: MachineStatus[]
}

export interface MachineStatus {
  name: string
  address: string
  flavour: Flavour
  power: 'on' | 'off'
  cable: 'up' | 'cut'
  console: string
  pid?: number
}

/**
 * Boots the virtual Pis rpi1 … rpiN (192.168.188.11 …) and waits until all answer SSH. Those that already run are
 * left as they are; those that are off are started again with the disk they had.
 *
 * Errors: InputError when this is not root, something is missing, or a different lab is up already; BrambleError
 * when a machine does not answer within 10 minutes, with the end of its console.
 *
 * @example await labUp({ count: 4, fresh: ['rpi3'] }, (line) => process.stderr.write(`${line}\n`))
 */
export async function labUp(options: LabOptions, onProgress: Progress): Promise<LabStatus> {
  const wanted = machines(options)
  assertMemory(options)
  const arch = wantedArch(options) ?? readState()?.arch ?? defaultArch()
  await ensureRequirements(arch, onProgress)
  await buildLabImages(join(labPaths().directory, 'images'), arch, onProgress)
  return locked(async () => {
    const state = (await running(onProgress)) ?? (await create(options, wanted, onProgress))
    assertSame(state, options, wanted)
    for (const machine of wanted) {
      if (!state.machines.some(({ name }) => name === machine.name)) state.machines.push({ ...machine })
    }
    const names = wanted.map(({ name }) => name)
    const off = state.machines.filter(
      (machine) => names.includes(machine.name) && !(machine.process && isAlive(machine.process)),
    )
    if (off.length === 0) onProgress(`the lab is already up: ${names.join(', ')}`)
    await ensureKeys(labPaths(), state.machines)
    const started = Date.now()
    for (const machine of off) await boot(state, machine, onProgress)
    await waitForSsh(labPaths(), off, started, onProgress)
    return labStatus()
  })
}

/** Ends the lab: processes, namespace, disks. Base images and keys stay. Does nothing when there is no lab. */
export async function labDown(onProgress: Progress = () => {}): Promise<void> {
  if (!readState() && !namespaceExists()) return
  assertRoot()
  await locked(() => tearDown(onProgress))
}

/** What there is of the lab now. */
export async function labStatus(): Promise<LabStatus> {
  const { directory, run } = labPaths()
  const state = readState()
  if (!state) return { up: false, directory, machines: [] }
  const cables = await taps()
  const { arch, accelerator, memory } = state
  const all = state.machines.map(({ name, address, flavour, process }): MachineStatus => {
    const on = process !== undefined && isAlive(process)
    const console = machineFiles(run, name).console
    const cable = cables.get(name) ?? 'cut'
    return {
      name,
      address,
      flavour,
      power: on ? 'on' : 'off',
      cable,
      console,
      ...(on && { pid: process.pid }),
    }
  })
  return { up: uplinkAlive(state), arch, accelerator, memory, directory, machines: all }
}

/** A power cut: the machine stops between two instructions; what it had not written is lost. */
export async function kill(name: string): Promise<void> {
  await locked(async () => {
    const { state, machine } = find(name)
    if (machine.process) await end(machine.process)
    delete machine.process
    writeState(state)
  })
}

/** Turns the power on again, with the disk as the power cut left it, and waits until SSH answers. */
export async function start(name: string, onProgress?: Progress): Promise<void> {
  await startAll([name], onProgress)
}

/** The same for several at once. */
export async function startAll(names: readonly string[], onProgress: Progress = () => {}): Promise<void> {
  await locked(async () => {
    const [first] = names.map(find)
    if (!first) return
    const { state } = first
    const machines = state.machines.filter(
      ({ name, process }) => names.includes(name) && !(process && isAlive(process)),
    )
    const started = Date.now()
    for (const machine of machines) await boot(state, machine, onProgress)
    await waitForSsh(labPaths(), machines, started, onProgress)
  })
}

/**
 * A newly written card in a machine, and its power on: as it was when the lab came up, with another host key, which
 * the lab's `known_hosts` then has.
 */
export async function reflash(name: string, onProgress: Progress = () => {}): Promise<void> {
  await kill(name)
  const paths = labPaths()
  removeKey(paths, name)
  rmSync(machineFiles(paths.run, name).disk, { force: true })
  await ensureKeys(paths, find(name).state.machines)
  await start(name, onProgress)
}

/** Pulls the machine's network cable, which the machine notices. */
export async function cut(name: string): Promise<void> {
  await setCable(name, 'down')
}

/** Plugs the cable in again. */
export async function heal(name: string): Promise<void> {
  await setCable(name, 'up')
}

async function setCable(name: string, state: 'up' | 'down'): Promise<void> {
  const { machine } = find(name)
  await setTap(name, state)
  if (machine.process && isAlive(machine.process)) await setLink(name, labPaths().run, state === 'up')
}

/**
 * The command that runs OpenSSH's client to a machine of the lab.
 *
 * @example labSsh('rpi1', ['uptime'])
 */
export function labSsh(name: string, command: readonly string[] = []): string[] {
  return sshCommand(labPaths(), find(name).machine, command)
}

function find(name: string): { state: LabState; machine: LabMachine } {
  assertRoot()
  const state = readState()
  if (!state) throw new InputError('the lab is down', { next: 'bramble lab up' })
  const machine = state.machines.find((machine) => machine.name === name)
  if (machine) return { state, machine }
  throw new InputError(`the lab has no machine ${name}`, {
    expected: state.machines.map(({ name }) => name).join(', '),
    found: name,
  })
}

function assertRoot(): void {
  if (process.getuid?.() === 0) return
  throw new InputError(`the lab needs root, which its network namespace ${namespace} belongs to`, {
    next: 'run this again with sudo',
  })
}
