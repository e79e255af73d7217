import { arch } from 'node:os'
import { InputError } from '../errors.ts'

export type Arch = 'amd64' | 'arm64'

/** `docker`: Docker, NFS and curl are in the image already. `fresh`: a bare Debian, which is what a new Pi has. */
export type Flavour = 'docker' | 'fresh'

export const bridgeAddress = '192.168.188.1'
export const prefixLength = 24
export const maxMachines = 8

export interface Machine {
  name: string
  address: string
  mac: string
  flavour: Flavour
}

/** The nth virtual Pi, counted from 1. */
export function machine(number: number, flavour: Flavour): Machine {
  return {
    name: `rpi${number}`,
    address: `192.168.188.${10 + number}`,
    mac: `52:54:00:b4:ab:0${number}`,
    flavour,
  }
}

export interface MachinesWanted {
  /** How many, 1 to 8; default 4. */
  count?: number
  /** The flavour of all machines; default `docker`. */
  flavour?: Flavour
  /** Names of the machines that are `fresh` whatever `flavour` says. */
  fresh?: readonly string[]
}

/**
 * The machines rpi1 … rpiN of a lab.
 *
 * Errors: InputError for a count outside 1–8, or a name in `fresh` that is none of the machines.
 *
 * @example machines({ count: 3, fresh: ['rpi3'] }).map((machine) => machine.flavour) // docker, docker, fresh
 */
export function machines({ count = 4, flavour = 'docker', fresh = [] }: MachinesWanted = {}): Machine[] {
  if (!Number.isInteger(count) || count < 1 || count > maxMachines) {
    throw new InputError('the lab cannot have that many machines', {
      expected: `a whole number from 1 to ${maxMachines}`,
      found: String(count),
    })
  }
  const all = Array.from({ length: count }, (_, index) => machine(index + 1, flavour))
  for (const name of fresh) {
    if (!all.some((machine) => machine.name === name)) {
      throw new InputError(`the lab has no machine ${name} that could be fresh`, {
        expected: all.map((machine) => machine.name).join(', '),
        found: name,
      })
    }
  }
  return all.map((machine) => (fresh.includes(machine.name) ? { ...machine, flavour: 'fresh' } : machine))
}

/**
 * The architecture that the host itself has.
 *
 * Errors: InputError on a host that is neither amd64 nor arm64.
 */
export function hostArch(): Arch {
  const found = arch()
  if (found === 'x64') return 'amd64'
  if (found === 'arm64') return 'arm64'
  throw new InputError('the lab does not know this computer’s architecture', {
    expected: 'x64 or arm64',
    found,
    next: 'choose the architecture of the virtual Pis with --arch amd64 or --arch arm64',
  })
}
