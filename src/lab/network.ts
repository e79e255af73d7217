import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { BrambleError } from '../errors.ts'
import { bridgeAddress, prefixLength } from './machines.ts'
import { attempt, run } from './run.ts'
import { until } from './wait.ts'

export const namespace = 'bramble-lab'
const namespaceFile = `/run/netns/${namespace}`
/** What tells slirp4netns's command line from every other. */
export const uplinkMark = `--netns-type=path\0${namespaceFile}`
const bridge = 'br0'
/** The way out of the namespace, to the package mirror. */
const uplink = 'uplink'

/**
 * The command as it has to be started to run where the virtual Pis' network is.
 *
 * @example inNamespace(['curl', 'http://192.168.188.200/'])
 * @see nsenter(1)
 */
export function inNamespace(command: readonly string[]): string[] {
  return ['nsenter', `--net=${namespaceFile}`, '--', ...command]
}

/**
 * For OpenSSH's ProxyCommand and for an inventory: reaches a virtual Pi from outside of the lab's namespace.
 *
 * @see ssh_config(5), ProxyCommand
 */
export const proxyCommand = `nsenter --net=${namespaceFile} socat - TCP:%h:%p`

export function namespaceExists(): boolean {
  return existsSync(namespaceFile)
}

/** Makes the namespace with its bridge and NAT. Every address in it is reachable from inside only. */
export async function createNetwork(): Promise<void> {
  await run(['ip', 'netns', 'add', namespace])
  await inside(['ip', 'link', 'set', 'lo', 'up'])
  await inside(['ip', 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0'])
  await inside(['ip', 'address', 'add', `${bridgeAddress}/${prefixLength}`, 'dev', bridge])
  await inside(['ip', 'link', 'set', bridge, 'up'])
  await inside(['sysctl', '-qw', 'net.ipv4.ip_forward=1'])
  await inside(['iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', uplink, '-j', 'MASQUERADE'])
}

/** Ends the namespace; what was in it (bridge, taps, rules) goes with it. */
export async function removeNetwork(): Promise<void> {
  if (namespaceExists()) await run(['ip', 'netns', 'delete', namespace])
}

/** Starts slirp4netns, which carries the namespace's traffic out without any rule or route on the computer itself. */
export async function startUplink(log: string, onStarted: (pid: number) => void): Promise<void> {
  const output = openSync(log, 'a')
  const child = spawn(
    'slirp4netns',
    ['--configure', '--disable-host-loopback', '--netns-type=path', namespaceFile, uplink],
    { detached: true, stdio: ['ignore', output, output] },
  )
  closeSync(output)
  if (child.pid === undefined) throw new BrambleError('slirp4netns could not be started')
  onStarted(child.pid)
  child.unref()
  await until(
    'the way out of the lab’s network',
    10_000,
    async () => (await attempt(inNamespace(['ip', 'route', 'show', 'default', 'dev', uplink]))).stdout !== '',
  )
}

/** The cable of a machine: a tap of its name, plugged into the bridge. */
export async function createTap(name: string): Promise<void> {
  const { code } = await attempt(inNamespace(['ip', 'link', 'show', name]))
  if (code !== 0) await inside(['ip', 'tuntap', 'add', 'dev', name, 'mode', 'tap'])
  await inside(['ip', 'link', 'set', name, 'master', bridge, 'up'])
}

export async function setTap(name: string, state: 'up' | 'down'): Promise<void> {
  await inside(['ip', 'link', 'set', name, state])
}

/** Whether the cables are plugged in, by machine name. */
export async function taps(): Promise<Map<string, 'up' | 'cut'>> {
  const { stdout } = await attempt(inNamespace(['ip', '-o', 'link', 'show', 'master', bridge]))
  const links = stdout.split('\n').flatMap((line) => {
    const [, name, flags] = /^\d+: ([^:@]+)[^<]*<([^>]*)>/.exec(line) ?? []
    return name === undefined || flags === undefined ? [] : [{ name, up: flags.split(',').includes('UP') }]
  })
  return new Map(links.map(({ name, up }) => [name, up ? 'up' : 'cut']))
}

async function inside(command: readonly string[]): Promise<void> {
  await run(inNamespace(command))
}
