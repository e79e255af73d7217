import { TaskError } from '../errors.ts'
import { raw } from '../playbook/sh.ts'
import { resource, type Common, type Facts, type Resource, type Seen } from '../playbook/resource.ts'

export interface PreflightOptions extends Common {
  /** The host's name in the inventory; the machine must call itself so. */
  hostname: string
  /** The host's static IPv4 address. */
  address: string
  /** Disk space that must be free on / and /var/lib, in MB. Default 1024. */
  minFreeDisk?: number
}

interface Machine {
  hostname: string
  machineId: string
  architecture: string
  clock: number
  systemd: boolean
  memoryCgroup: boolean
  cmdline: string | undefined
  addresses: { interface: string; address: string }[]
  disks: { mount: string; free: number }[]
}

/** What a machine says of itself. Three processes: what stands in one line of a file, the shell reads by itself. */
export const machine =
  raw(`for file in /proc/sys/kernel/hostname /etc/machine-id /sys/fs/cgroup/cgroup.controllers; do
  [ ! -e "$file" ] || { read -r line <"$file"; echo "$file:$line"; }
done
[ -e /sys/fs/cgroup/cgroup.controllers ] || grep -H '^memory' /proc/cgroups
if [ -e /proc/sys/kernel/arch ]; then read -r line </proc/sys/kernel/arch; else line=$(uname -m); fi
echo "architecture:$line"
date +clock:%s
[ ! -d /run/systemd/system ] || echo systemd:yes
for file in /boot/firmware/cmdline.txt /boot/cmdline.txt; do
  if [ -e "$file" ]; then echo "cmdline:$file"; break; fi
done
ip -o -4 addr show
df -Pk / /var/lib`)

/**
 * A machine that can become a part of the cluster; nothing is ever changed.
 * Facts: `hostname`, `machine_id`, `clock_offset` (seconds ahead of this computer), `addresses`, and `interface`,
 * the one that holds `address`.
 *
 * Errors (TaskError, all that is wrong at once): an architecture other than aarch64 and x86_64; no systemd; the
 * memory cgroup off; too little disk; another hostname; the address on none of its interfaces.
 *
 * @see https://www.raspberrypi.com/documentation/computers/configuration.html#kernel-command-line-cmdline-txt
 * @example preflight({ hostname: 'rpi1', address: '192.168.188.11' })
 */
export function preflight({ hostname, address, minFreeDisk = 1024, ...common }: PreflightOptions): Resource {
  return resource(
    {
      title: 'preflight',
      probe: machine,
      plan(seen) {
        fail(
          problemsOf(readMachine(seen), hostname, address, minFreeDisk),
          'this machine cannot be a part of the cluster',
        )
        return undefined
      },
      facts(seen): Facts {
        const { hostname: name, machineId, clock, addresses } = readMachine(seen)
        const own = addresses.find((one) => one.address === address)
        return {
          hostname: name,
          machine_id: machineId,
          clock_offset: String(clock - Math.round((seen.answered ?? Date.now()) / 1000)),
          addresses: addresses.map((one) => one.address).join(' '),
          ...(own && { interface: own.interface }),
        }
      },
    },
    common,
  )
}

function problemsOf(machine: Machine, hostname: string, address: string, minFreeDisk: number): string[] {
  const problems: string[] = []
  if (!['aarch64', 'x86_64'].includes(machine.architecture))
    problems.push(
      `architecture ${machine.architecture}: install the 64-bit edition of the system (aarch64 or x86_64)`,
    )
  if (!machine.systemd) problems.push('systemd does not run: use Raspberry Pi OS or Debian as it comes')
  if (!machine.memoryCgroup) {
    const line = 'cgroup_enable=memory cgroup_memory=1'
    const file = machine.cmdline ?? 'the kernel command line'
    problems.push(`the memory cgroup is off: add \`${line}\` to the one line of ${file}, then reboot`)
  }
  if (machine.hostname !== hostname)
    problems.push(
      `the hostname is ${machine.hostname}: run \`hostnamectl set-hostname ${hostname}\`, or name it ${machine.hostname} in the inventory`,
    )
  if (!machine.addresses.some((one) => one.address === address))
    problems.push(
      `no interface has ${address} (there is ${machine.addresses.map((one) => `${one.address} on ${one.interface}`).join(', ') || 'none'}): give the machine this static address, or correct the one in the inventory`,
    )
  for (const { mount, free } of machine.disks)
    if (free < minFreeDisk) problems.push(`${free} MB are free on ${mount}: make room for ${minFreeDisk} MB`)
  return problems
}

// Docker gives its bridges the same addresses on every machine.
const ownBridge = /^(lo$|docker|br-|veth)/

function readMachine(seen: Seen): Machine {
  const all = seen.stdout.split('\n')
  const after = (start: string): string[] =>
    all.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length))
  const controllers = after('/sys/fs/cgroup/cgroup.controllers:')[0]
  const memory = after('/proc/cgroups:memory')[0]?.trim().split(/\s+/).at(-1)
  return {
    hostname: after('/proc/sys/kernel/hostname:')[0] ?? '',
    machineId: after('/etc/machine-id:')[0] ?? '',
    architecture: after('architecture:')[0] ?? '',
    clock: Number(after('clock:')[0]),
    systemd: after('systemd:').length > 0,
    memoryCgroup: controllers === undefined ? memory === '1' : words(controllers).includes('memory'),
    cmdline: after('cmdline:')[0],
    addresses: all.flatMap((line) => {
      const match = /^\d+: (\S+)\s+inet ([\d.]+)/.exec(line)
      return match?.[1] && match[2] && !ownBridge.test(match[1])
        ? [{ interface: match[1], address: match[2] }]
        : []
    }),
    disks: readDisks(all),
  }
}

/** Lines of `df -Pk`, each file system once. */
function readDisks(all: readonly string[]): { mount: string; free: number }[] {
  const disks = new Map<string, number>()
  for (const line of all) {
    const match = /^\S+\s+\d+\s+\d+\s+(\d+)\s+\d+%\s+(\/.*)$/.exec(line)
    if (match?.[2]) disks.set(match[2], Math.floor(Number(match[1]) / 1024))
  }
  return [...disks].map(([mount, free]) => ({ mount, free }))
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(Boolean) ?? []
}

/** Everything that is wrong, in one error. */
export function fail(problems: readonly string[], message: string): void {
  if (problems.length === 0) return
  throw new TaskError(message, {
    found: problems.join('\n'),
    next: "put this right, then apply again; or leave the machine out: --limit 'all:!HOST'",
  })
}
