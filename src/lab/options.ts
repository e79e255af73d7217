import { InputError } from '../errors.ts'
import type { Arch, Machine, MachinesWanted } from './machines.ts'
import { hostArch } from './machines.ts'
import type { LabState } from './state.ts'

export interface LabOptions extends MachinesWanted {
  /** Default: `BRAMBLE_LAB_ARCH`, else the computer's own. */
  arch?: Arch
  /** MiB a machine; default 768. */
  memory?: number
}

/** MiB; with less, a Debian with Docker does not boot. */
const leastMemory = 384

/**
 * The architecture that was asked for, by option or else by `BRAMBLE_LAB_ARCH`; undefined when by neither.
 *
 * Errors: InputError when the variable holds anything but `amd64` or `arm64`.
 */
export function wantedArch({ arch }: LabOptions): Arch | undefined {
  const set = process.env['BRAMBLE_LAB_ARCH']
  if (arch !== undefined || set === undefined || set === '') return arch
  if (set === 'amd64' || set === 'arm64') return set
  throw new InputError('BRAMBLE_LAB_ARCH holds no architecture', { expected: 'amd64 or arm64', found: set })
}

/** The architecture of a new lab. Errors: as wantedArch. */
export function defaultArch(options: LabOptions = {}): Arch {
  return wantedArch(options) ?? hostArch()
}

/** Errors: InputError for less memory than the machines need. */
export function assertMemory({ memory }: LabOptions): void {
  if (memory === undefined || (Number.isInteger(memory) && memory >= leastMemory)) return
  throw new InputError('the machines cannot have that much memory', {
    expected: `a whole number of MiB, at least ${leastMemory}`,
    found: String(memory),
  })
}

/**
 * Refuses options that the lab which is up does not meet.
 *
 * Errors: InputError with both.
 */
export function assertSame(state: LabState, options: LabOptions, wanted: readonly Machine[]): void {
  const differences = [
    ...wanted.flatMap(({ name, flavour }) => {
      const there = state.machines.find((machine) => machine.name === name)
      return there && there.flavour !== flavour ? [[`${name} ${flavour}`, `${name} ${there.flavour}`]] : []
    }),
    ...differs('architecture', wantedArch(options), state.arch),
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
