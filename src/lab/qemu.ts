import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { BrambleError } from '../errors.ts'
import type { Arch, Machine } from './machines.ts'
import { hostArch } from './machines.ts'
import { inNamespace } from './network.ts'
import { run } from './run.ts'

export type Accelerator = 'kvm' | 'tcg'

export interface Kernel {
  kernel: string
  initrd: string
}

export interface Power {
  arch: Arch
  accelerator: Accelerator
  /** MiB a machine. */
  memory: number
  base: Kernel
  /** Where the machine's disk, seed and console are. */
  directory: string
}

const programs: Record<Arch, string> = { amd64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' }
const consoles: Record<Arch, string> = { amd64: 'ttyS0', arm64: 'ttyAMA0' }

export function qemuProgram(arch: Arch): string {
  return programs[arch]
}

/** The files of a machine in the lab's run directory. */
export function machineFiles(
  directory: string,
  name: string,
): Record<'disk' | 'seed' | 'console' | 'control' | 'log', string> {
  return {
    disk: join(directory, `${name}.qcow2`),
    seed: join(directory, `${name}.seed`),
    console: join(directory, `${name}.console`),
    control: join(directory, `${name}.qmp`),
    log: join(directory, `${name}.log`),
  }
}

/** The command line of QEMU for a machine. */
export function qemuCommand(machine: Machine, power: Power): string[] {
  const { disk, seed, console, control } = machineFiles(power.directory, machine.name)
  return [
    processor(power.arch, power.accelerator),
    ['-name', machine.name, '-m', String(power.memory), '-smp', '1', '-rtc', 'base=utc'],
    ['-display', 'none', '-nodefaults', '-no-user-config'],
    ['-chardev', `file,id=console,path=${console},append=on`, '-serial', 'chardev:console'],
    ['-qmp', `unix:${control},server=on,wait=off`],
    ['-drive', `file=${disk},format=qcow2,if=none,id=root,cache=unsafe,discard=unmap`],
    ['-device', 'virtio-blk-pci,drive=root'],
    ['-drive', `file=${seed},format=raw,if=none,id=seed,readonly=on`, '-device', 'virtio-blk-pci,drive=seed'],
    ['-netdev', `tap,id=net,ifname=${machine.name},script=no,downscript=no`],
    ['-device', `virtio-net-pci,netdev=net,mac=${machine.mac},romfile=`, '-device', 'virtio-rng-pci'],
    ['-kernel', power.base.kernel, '-initrd', power.base.initrd],
    ['-append', kernelLine(machine, power.arch)],
  ].flat()
}

/** Turns the power on; the machine outlives this process. Its pid. */
export function powerOn(machine: Machine, power: Power): number {
  const { log, console } = machineFiles(power.directory, machine.name)
  writeFileSync(console, '', { flag: 'a' })
  const output = openSync(log, 'a')
  const [program = '', ...rest] = inNamespace(qemuCommand(machine, power))
  const child = spawn(program, rest, { detached: true, stdio: ['ignore', output, output] })
  closeSync(output)
  if (child.pid === undefined) throw new BrambleError('QEMU could not be started', { host: machine.name })
  child.unref()
  return child.pid
}

/**
 * The machine's network card has a link, or none: the machine sees that its cable is pulled, as a Pi does.
 *
 * Errors: BrambleError when QEMU does not do it.
 *
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html, set_link
 */
export async function setLink(name: string, directory: string, up: boolean): Promise<void> {
  const { control } = machineFiles(directory, name)
  const commands = [
    { execute: 'qmp_capabilities' },
    { execute: 'set_link', arguments: { name: 'net', up } },
    // Said last, so that all answers have come before the connection ends.
    { execute: 'query-status', id: 'done' },
  ]
  // Longer than an answer takes: socat would otherwise hang up half a second after the last command was sent.
  const answer = await run(['socat', '-t10', '-', `UNIX-CONNECT:${control}`], {
    input: `${commands.map((command) => JSON.stringify(command)).join('\n')}\n`,
  })
  if (/"id": "done"/.test(answer) && !answer.includes('"error"')) return
  throw new BrambleError(`QEMU does not ${up ? 'plug in' : 'pull'} the cable`, {
    host: name,
    found: answer.trim(),
    next: `a machine that an older bramble started cannot be told: bramble lab kill ${name}, then bramble lab start ${name}`,
  })
}

/**
 * Hardware acceleration if it is proven to work here: a kernel started with it has to print within 5 seconds,
 * as /dev/kvm may exist and still be of no use. The answer is kept in `directory` until the computer reboots.
 */
export async function chooseAccelerator(arch: Arch, base: Kernel, directory: string): Promise<Accelerator> {
  if (arch !== hostArch() || !canOpen('/dev/kvm')) return 'tcg'
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const kept = join(directory, 'accelerator.json')
  const key = createHash('sha256').update(`${boot} ${base.kernel}`).digest('hex')
  const known = readKept(kept, key)
  if (known) return known
  const accelerator = (await printsUnderKvm(arch, base, directory)) ? 'kvm' : 'tcg'
  writeFileSync(kept, JSON.stringify({ key, accelerator }))
  return accelerator
}

function readKept(path: string, key: string): Accelerator | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof kept !== 'object' || kept === null || !('key' in kept) || !('accelerator' in kept))
      return undefined
    if (kept.key !== key) return undefined
    return kept.accelerator === 'kvm' || kept.accelerator === 'tcg' ? kept.accelerator : undefined
  } catch {
    return undefined
  }
}

async function printsUnderKvm(arch: Arch, base: Kernel, directory: string): Promise<boolean> {
  const console = join(directory, 'trial.console')
  rmSync(console, { force: true })
  const [program = '', ...rest] = [
    processor(arch, 'kvm'),
    ['-m', '512', '-display', 'none', '-nodefaults', '-no-reboot', '-serial', `file:${console}`],
    ['-kernel', base.kernel, '-append', `console=${consoles[arch]} earlyprintk=serial,${consoles[arch]}`],
  ].flat()
  const child = spawn(program, rest, { stdio: 'ignore', timeout: 5000, killSignal: 'SIGKILL' })
  const end = new Promise<void>((resolve) => child.on('error', () => resolve()).on('exit', () => resolve()))
  const watch = setInterval(() => {
    if (hasPrinted(console)) child.kill('SIGKILL')
  }, 100)
  await end
  clearInterval(watch)
  const printed = hasPrinted(console)
  rmSync(console, { force: true })
  return printed
}

function hasPrinted(console: string): boolean {
  return canOpen(console) && readFileSync(console, 'utf8').includes('Linux version')
}

function processor(arch: Arch, accelerator: Accelerator): string[] {
  // The default translation buffer makes each process hold 2 GB.
  const accel = accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi,tb-size=256'
  const native = accelerator === 'kvm'
  // Without "erms" the kernel copies and clears memory eight bytes at a time: the emulator makes a loop of it.
  const cpu = native ? 'max' : 'max,erms=off'
  if (arch === 'amd64') return [programs.amd64, '-machine', 'pc', '-cpu', cpu, '-accel', accel]
  // The core of a Raspberry Pi 4.
  return [programs.arm64, '-machine', 'virt', '-cpu', native ? 'max' : 'cortex-a72', '-accel', accel]
}

function kernelLine(machine: Machine, arch: Arch): string {
  return [
    `console=${consoles[arch]}`,
    // Without norandmaps each process has its code at other addresses, and the emulator translates it all anew:
    // starting a program takes three times as long.
    'root=/dev/vda rw quiet fsck.mode=skip mitigations=off norandmaps net.ifnames=0 nowatchdog',
    // As on Raspberry Pi OS; Docker would want its userland otherwise.
    'apparmor=0',
    `systemd.hostname=${machine.name}`,
    `systemd.machine_id=${createHash('sha256').update(machine.mac).digest('hex').slice(0, 32)}`,
    `bramble.address=${machine.address}`,
  ].join(' ')
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
