import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { BrambleError } from '../src/errors.ts'
import { attempt, run } from '../src/lab/run.ts'
import type { Ran } from '../src/lab/run.ts'
import { until } from '../src/lab/wait.ts'
import { removeCgroups } from './light-cgroups.ts'
import { cache, ensureTree } from './light-tree.ts'
import { ensurePackages } from './packages.ts'

/** A Debian 12 of its own in a container: systemd, sshd, apt and, when asked for, Docker, at native speed. */
export interface LightHost {
  name: string
  address: string
  /** May use sudo without a password; root takes the same key. */
  user: 'pi'
  /** Path of the private key that it accepts. */
  keyFile: string
  /** Path of a known_hosts file with the keys of all hosts of this start, by address and by name. */
  knownHosts: string
  /** Reaches the host's network from outside, for an inventory or OpenSSH; `%h` and `%p` are left to be filled in. */
  proxyCommand: string
  /** What the host's console printed. */
  log: string
}

export interface LightHosts {
  hosts: LightHost[]
  /** Path of their network namespace, for `nsenter --net=`. */
  namespace: string
  /** Ends a host as a power cut does: nobody on the network is told. */
  cut(host: LightHost): Promise<void>
  /** Boots a new machine with a host key of its own in the place of one that was cut. */
  reflash(host: LightHost): Promise<void>
  /** Ends them; nothing of them is left. */
  stop(): Promise<void>
}

const programs = {
  mmdebstrap: 'mmdebstrap',
  'systemd-nspawn': 'systemd-container',
  socat: 'socat',
  slirp4netns: 'slirp4netns',
  iptables: 'iptables',
  ip: 'iproute2',
  ssh: 'openssh-client',
}

/**
 * Boots light hosts at 10.77.0.11, .12 and so on, in a network of their own with a way out to the package mirror.
 * They need root, and end with the process that started them, however it ends.
 *
 * @param options `names`: at most 11 characters each. `docker`: with Docker Engine and NFS client installed. Default no.
 * @example const { hosts, stop } = await startLightHosts({ names: ['rpi1', 'rpi2'], docker: true })
 */
export async function startLightHosts(options: { names: string[]; docker?: boolean }): Promise<LightHosts> {
  await ensurePackages(programs)
  const tree = await ensureTree(options.docker ? 'docker' : 'bare')
  removeLeftovers()
  const id = `${process.pid}-${randomBytes(3).toString('hex')}`
  const directory = join(cache, `run-${id}`)
  mkdirSync(join(directory, 'mnt'), { recursive: true })
  const addresses = options.names.map((name, index) => ({ name, address: `10.77.0.${index + 11}` }))
  const keyFile = await makeKeys(directory, addresses)

  const started: ChildProcess[] = []
  const stop = async () => {
    // Both end when their input does; the first takes along everything in its namespaces.
    await Promise.all(started.toReversed().map(end))
    removeCgroups(cgroup(id))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const machines = addresses.map(({ name, address }) => `${name}=${address}`)
    const network = startNetwork([tree, directory, cgroup(id), ...machines], directory)
    started.push(network)
    await said(network, 'started', join(directory, 'network.log'))
    const namespace = `/proc/${network.pid}/ns/net`
    started.push(startUplink(namespace, directory))
    const hosts = addresses.map(({ name, address }): LightHost => ({
      name,
      address,
      user: 'pi',
      keyFile,
      knownHosts: join(directory, 'known_hosts'),
      proxyCommand: `nsenter --net=${namespace} socat - TCP:%h:%p`,
      log: join(directory, `${name}.log`),
    }))
    await Promise.all(hosts.map(running))
    const reflash = async (host: LightHost) => {
      rmSync(join(directory, `${host.name}.key`))
      await makeKey(join(directory, `${host.name}.key`))
      recordKeys(directory, addresses)
      network.stdin?.write(`${host.name}=${host.address}\n`)
      await running(host)
    }
    return { hosts, namespace, cut, reflash, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Its network first: what the kernel would say for the processes that end stays with it. */
async function cut(host: LightHost): Promise<void> {
  const off = 'ip link set eth0 down; systemctl poweroff --force --force'
  await onHost(host, `systemd-run --quiet --no-block sh -c '${off}'`)
  const login = ['ssh', ...sshOptions(host), `pi@${host.address}`, 'true']
  await until(`${host.name} to be off`, 30_000, async () => (await attempt(login)).code !== 0)
}

/** Runs a shell script as root on a light host, through OpenSSH: for tests to look at what a run has left behind. */
export function onHost(host: LightHost, script: string): Promise<Ran> {
  return attempt(['ssh', ...sshOptions(host), `root@${host.address}`, 'sh', '-s'], { input: script })
}

/** The same for one that has to succeed: what it printed. It ends at the first command that fails. */
export async function shell(host: LightHost, script: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, `set -e\n${script}`)
  if (code === 0) return stdout
  throw new BrambleError(`exit code ${code} of: ${script}`, { host: host.name, stderr })
}

/** The host of that name. */
export function named({ hosts }: Pick<LightHosts, 'hosts'>, name: string): LightHost {
  const found = hosts.find((host) => host.name === name)
  if (found) return found
  throw new BrambleError(`there is no light host ${name}`)
}

/** The one host of a set of one. */
export function only({ hosts }: LightHosts): LightHost {
  const [host] = hosts
  if (host === undefined || hosts.length > 1) throw new BrambleError(`not one light host but ${hosts.length}`)
  return host
}

function sshOptions({ keyFile, knownHosts, proxyCommand }: LightHost): string[] {
  const settings = {
    ProxyCommand: proxyCommand,
    UserKnownHostsFile: knownHosts,
    StrictHostKeyChecking: 'yes',
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    ConnectTimeout: '5',
    // A host that goes during the login or after it is not waited for.
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    LogLevel: 'ERROR',
  }
  return [
    '-F',
    'none',
    '-i',
    keyFile,
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ]
}

/** Waits until the host has booted with nothing failed. */
async function running(host: LightHost): Promise<void> {
  const login = ['ssh', ...sshOptions(host), `pi@${host.address}`]
  const command = 'sudo systemctl is-system-running --wait; sudo systemctl --failed --plain --no-legend'
  let last: Ran = { code: -1, stdout: '', stderr: '' }
  const booted = async () => {
    last = await attempt([...login, command])
    return last.code === 0
  }
  try {
    await until(`${host.name} to boot`, 60_000, booted)
  } catch (cause) {
    const stderr = readFileSync(host.log, 'utf8') + last.stderr
    throw new BrambleError('the light host did not boot', { host: host.name, stderr, cause })
  }
  if (!last.stdout.startsWith('running\n')) {
    throw new BrambleError('the light host did not boot well', { host: host.name, found: last.stdout })
  }
}

function startNetwork(parameters: string[], directory: string): ChildProcess {
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const script = join(import.meta.dirname, 'light-network.sh')
  const log = openSync(join(directory, 'network.log'), 'a')
  return spawn('unshare', [...namespaces, 'sh', script, ...parameters], {
    detached: true,
    stdio: ['pipe', 'pipe', log],
  })
}

function startUplink(namespace: string, directory: string): ChildProcess {
  const log = openSync(join(directory, 'uplink.log'), 'a')
  const options = ['--configure', '--mtu=65520', '--disable-host-loopback', '--netns-type=path']
  return spawn('slirp4netns', [...options, '--exit-fd=3', namespace, 'uplink'], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  })
}

/** Waits until the process has printed this. */
function said(child: ChildProcess, text: string, log: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes(text)) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => {
      reject(new BrambleError('the light hosts could not be started', { stderr: readFileSync(log, 'utf8') }))
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exit = once(child, 'exit')
  for (const stream of child.stdio) stream?.destroy()
  await exit
}

/** The key that all of them accept, and one of its own for each; the path of the first. */
async function makeKeys(directory: string, hosts: { name: string; address: string }[]): Promise<string> {
  const keyFile = join(directory, 'id_ed25519')
  await Promise.all([makeKey(keyFile), ...hosts.map(({ name }) => makeKey(join(directory, `${name}.key`)))])
  writeFileSync(join(directory, 'authorized_keys'), readFileSync(`${keyFile}.pub`))
  recordKeys(directory, hosts)
  return keyFile
}

function recordKeys(directory: string, hosts: { name: string; address: string }[]): void {
  const known = hosts.map(({ name, address }) => {
    return `${address},${name} ${readFileSync(join(directory, `${name}.key.pub`), 'utf8').trim()}\n`
  })
  writeFileSync(join(directory, 'known_hosts'), known.join(''))
}

function makeKey(path: string): Promise<string> {
  return run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path])
}

function cgroup(id: string): string {
  return `bramble-light-${id}`
}

/** Removes what a process that was killed could not. Its processes and mounts are gone already. */
function removeLeftovers(): void {
  for (const name of readdirSync(cache)) {
    const [, id, owner] = /^run-((\d+)-[0-9a-f]+)$/.exec(name) ?? []
    if (id === undefined || owner === undefined || existsSync(`/proc/${owner}`)) continue
    try {
      removeCgroups(cgroup(id))
      rmSync(join(cache, name), { recursive: true, force: true })
    } catch {
      // Another run of the tests does the same at this moment.
    }
  }
}
