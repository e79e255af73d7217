/**
 * Virtual Pis: QEMU machines with their own kernel, in a network namespace of their own.
 *
 * @module
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { InputError } from '../errors.ts'
import { ensureBase, pruneBases } from './base.ts'
import { ensureKeys, sshCommand, writeSeed } from './keys.ts'
import type { Arch, Flavour, MachinesWanted } from './machines.ts'
import { hostArch, machines } from './machines.ts'
import { createNetwork, createTap, namespace, namespaceExists, removeNetwork } from './network.ts'
import { setTap, startUplink, taps, uplinkMark } from './network.ts'
import { end, isAlive } from './process.ts'
import { chooseAccelerator, machineFiles, powerOn } from './qemu.ts'
import { ensureRequirements } from './requirements.ts'
import { run } from './run.ts'
import { waitForSsh } from './ready.ts'
import type { LabMachine, LabState } from './state.ts'
import { labPaths, locked, owner, readState, setOwner, writeState } from './state.ts'

export { inNamespace, proxyCommand } from './network.ts'
export { labPaths } from './state.ts'

export type Progress = (line: string) => void

export interface LabOptions extends MachinesWanted {
  /** Default: `BRAMBLE_LAB_ARCH`, else the computer's own. */
  arch?: Arch
  /** MiB a machine; default 768. */
  memory?: number
}

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

const defaultMemory = 768

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
  await ensureRequirements(options.arch ?? readState()?.arch ?? defaultArch(), onProgress)
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
export async function start(name: string, onProgress: Progress = () => {}): Promise<void> {
  await locked(async () => {
    const { state, machine } = find(name)
    if (machine.process && isAlive(machine.process)) return
    const started = Date.now()
    await boot(state, machine, onProgress)
    await waitForSsh(labPaths(), [machine], started, onProgress)
  })
}

/** Pulls the machine's network cable. */
export async function cut(name: string): Promise<void> {
  find(name)
  await setTap(name, 'down')
}

/** Plugs the cable in again. */
export async function heal(name: string): Promise<void> {
  find(name)
  await setTap(name, 'up')
}

/**
 * The command that runs OpenSSH's client to a machine of the lab.
 *
 * @example labSsh('rpi1', ['uptime'])
 */
export function labSsh(name: string, command: readonly string[] = []): string[] {
  return sshCommand(labPaths(), find(name).machine, command)
}

/**
 * The architecture of a lab that is not told one: `BRAMBLE_LAB_ARCH`, else the computer's own.
 *
 * Errors: InputError when the variable holds anything but `amd64` or `arm64`.
 */
export function defaultArch(): Arch {
  const set = process.env['BRAMBLE_LAB_ARCH']
  if (set === undefined || set === '') return hostArch()
  if (set === 'amd64' || set === 'arm64') return set
  throw new InputError('BRAMBLE_LAB_ARCH holds no architecture', { expected: 'amd64 or arm64', found: set })
}

/** The lab that is up; what a crashed one left is removed. */
async function running(onProgress: Progress): Promise<LabState | undefined> {
  const other = owner()
  if (namespaceExists() && other !== undefined && other !== labPaths().directory) {
    throw new InputError('another lab is up, and a computer has one at a time', {
      found: `its files are in ${other}`,
      next: `BRAMBLE_LAB_DIR=${other} bramble lab down`,
    })
  }
  const state = readState()
  if (state && uplinkAlive(state)) return state
  if (state || namespaceExists()) {
    onProgress('removing what an earlier lab left when it crashed')
    await tearDown(() => {})
  }
  return undefined
}

async function create(options: LabOptions, wanted: LabMachine[], onProgress: Progress): Promise<LabState> {
  const paths = labPaths()
  const arch = options.arch ?? defaultArch()
  pruneBases(paths.base)
  mkdirSync(paths.run, { recursive: true })
  for (const flavour of new Set(wanted.map(({ flavour }) => flavour))) {
    await ensureBase(paths.base, arch, flavour, onProgress)
  }
  const base = await ensureBase(paths.base, arch, wanted[0]?.flavour ?? 'docker', onProgress)
  const accelerator = await chooseAccelerator(arch, base, paths.base)
  const state: LabState = { arch, accelerator, memory: options.memory ?? defaultMemory, machines: [] }
  setOwner(paths.directory)
  writeState(state)
  await createNetwork()
  await startUplink(`${paths.run}/uplink.log`, (pid) => {
    state.uplink = { pid, mark: uplinkMark }
    writeState(state)
  })
  return state
}

async function boot(state: LabState, machine: LabMachine, onProgress: Progress): Promise<void> {
  const paths = labPaths()
  const base = await ensureBase(paths.base, state.arch, machine.flavour, onProgress)
  const { disk, seed } = machineFiles(paths.run, machine.name)
  if (!existsSync(disk)) {
    await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base.disk, disk])
  }
  await writeSeed(paths, machine, seed)
  await createTap(machine.name)
  const { arch, accelerator, memory } = state
  const pid = powerOn(machine, { arch, accelerator, memory, base, directory: paths.run })
  machine.process = { pid, mark: disk }
  writeState(state)
  const how =
    accelerator === 'kvm' ? 'KVM' : 'software emulation, slow: no usable /dev/kvm for this architecture'
  onProgress(`${machine.name}: power on at ${machine.address} (${machine.flavour}, ${arch}, ${how})`)
}

async function tearDown(onProgress: Progress): Promise<void> {
  const { run: directory } = labPaths()
  const state = readState()
  for (const { name, process } of state?.machines ?? []) {
    if (process) await end(process)
    onProgress(`${name}: off`)
  }
  if (state?.uplink) await end(state.uplink)
  // A namespace without a record is a crashed lab's: nothing else is ever called so.
  const ours = owner() === undefined || owner() === labPaths().directory
  if (ours) {
    await removeNetwork()
    setOwner(undefined)
  }
  rmSync(directory, { recursive: true, force: true })
}

function assertSame(state: LabState, options: LabOptions, wanted: readonly LabMachine[]): void {
  const differences = [
    ...wanted.flatMap(({ name, flavour }) => {
      const there = state.machines.find((machine) => machine.name === name)
      return there && there.flavour !== flavour ? [[`${name} ${flavour}`, `${name} ${there.flavour}`]] : []
    }),
    ...differs('architecture', options.arch, state.arch),
    ...differs('memory', options.memory, state.memory),
  ]
  if (differences.length === 0) return
  throw new InputError('a different lab is up already', {
    expected: differences.map(([expected]) => expected).join(', '),
    found: differences.map(([, found]) => found).join(', '),
    next: 'bramble lab down, then this again',
  })
}

function differs(what: string, wanted: string | number | undefined, found: string | number): string[][] {
  return wanted === undefined || wanted === found ? [] : [[`${what} ${wanted}`, `${what} ${found}`]]
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

function uplinkAlive(state: LabState): boolean {
  return namespaceExists() && state.uplink !== undefined && isAlive(state.uplink)
}

function assertRoot(): void {
  if (process.getuid?.() === 0) return
  throw new InputError(`the lab needs root, which its network namespace ${namespace} belongs to`, {
    next: 'run this again with sudo',
  })
}
