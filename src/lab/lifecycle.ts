import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { InputError } from '../errors.ts'
import { ensureBase, pruneBases } from './base.ts'
import { writeSeed } from './keys.ts'
import {
  createNetwork,
  createTap,
  namespaceExists,
  removeNetwork,
  startUplink,
  uplinkMark,
} from './network.ts'
import type { LabOptions } from './options.ts'
import { defaultArch } from './options.ts'
import { end, hasBecome, isAlive } from './process.ts'
import { chooseAccelerator, machineFiles, powerOn, qemuProgram } from './qemu.ts'
import { withForeignPrograms } from './requirements.ts'
import { run } from './run.ts'
import type { LabMachine, LabState } from './state.ts'
import { labPaths, owner, readState, setOwner, writeState } from './state.ts'

type Progress = (line: string) => void

const defaultMemory = 768

/** The lab that is up; what a crashed one left is removed. */
export async function running(onProgress: Progress): Promise<LabState | undefined> {
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

export async function create(
  options: LabOptions,
  wanted: LabMachine[],
  onProgress: Progress,
): Promise<LabState> {
  const paths = labPaths()
  const arch = defaultArch(options)
  await pruneBases(paths.base)
  mkdirSync(paths.run, { recursive: true })
  const flavours = [...new Set(wanted.map(({ flavour }) => flavour))]
  // At once: two cores build two of them in two thirds of the time.
  const built = await withForeignPrograms(arch, () =>
    Promise.allSettled(flavours.map((flavour) => ensureBase(paths.base, arch, flavour, onProgress))),
  )
  for (const one of built) if (one.status === 'rejected') throw one.reason
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

export async function boot(state: LabState, machine: LabMachine, onProgress: Progress): Promise<void> {
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
  await hasBecome(machine.process, qemuProgram(arch))
  const how =
    accelerator === 'kvm' ? 'KVM' : 'software emulation, slow: no usable /dev/kvm for this architecture'
  onProgress(`${machine.name}: power on at ${machine.address} (${machine.flavour}, ${arch}, ${how})`)
}

export async function tearDown(onProgress: Progress): Promise<void> {
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

/** Whether the lab’s network is there, with its way out. */
export function uplinkAlive(state: LabState): boolean {
  return namespaceExists() && state.uplink !== undefined && isAlive(state.uplink)
}
