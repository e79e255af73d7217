import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrambleError } from '../../src/errors.ts'
import { run } from '../../src/lab/run.ts'
import { until } from '../../src/lab/wait.ts'

export interface FarmHost {
  name: string
  address: string
  /** The directory that stands for the host's root. */
  root: string
}

/** Servers of OpenSSH on this computer, one a host, that run commands as root. */
export interface Farm {
  hosts: FarmHost[]
  port: number
  /** The one host key of all of them: `ssh-ed25519 AAAA…`. */
  hostKey: string
  /** For everything that goes with the farm; gone when it has stopped. */
  directory: string
  /** The home directory of those who log in. */
  home: string
  stop(): Promise<void>
}

/**
 * Starts servers at 127.77.0.1, 127.77.0.2 and so on, all with one host key. They end with the process that started
 * them, however that ends.
 */
export async function startFarm(count: number): Promise<Farm> {
  const directory = mkdtempSync(join(tmpdir(), 'bramble-bench-'))
  const port = 2222
  const home = join(directory, 'home')
  const hosts = Array.from({ length: count }, (_, index) => ({
    name: `host${String(index + 1).padStart(3, '0')}`,
    address: addressOf(77, index),
    root: join(directory, 'hosts', String(index + 1)),
  }))
  for (const path of [home, ...hosts.map((host) => host.root), '/run/sshd'])
    mkdirSync(path, { recursive: true })
  for (const name of ['host_key', 'id_ed25519']) {
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(directory, name)])
  }
  writeFileSync(join(directory, 'sshd_config'), sshdConfig(directory, home))
  // In a PID namespace of their own, which ends with its first process and takes all connections along.
  const script = `for address do /usr/sbin/sshd -D -f ${directory}/sshd_config -o ListenAddress=$address:${port} -E ${directory}/sshd.log & done; wait`
  const inNamespace = ['--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child=KILL']
  const addresses = hosts.map((host) => host.address)
  const child = spawn('setpriv', [...inNamespace, 'sh', '-c', script, 'sh', ...addresses], {
    stdio: 'ignore',
  })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (const { address } of hosts) {
      await until(`sshd at ${address}`, 60_000, () => answers(address, port), 20)
    }
  } catch (cause) {
    const stderr = readFileSync(join(directory, 'sshd.log'), { encoding: 'utf8', flag: 'a+' })
    await stop()
    throw new BrambleError('the servers did not start', { stderr, cause })
  }
  const hostKey = readFileSync(join(directory, 'host_key.pub'), 'utf8').trim()
  return { hosts, port, hostKey, directory, home, stop }
}

/** 127.<net>.0.1 and on. */
export function addressOf(net: number, index: number): string {
  return `127.${net}.${Math.floor(index / 250)}.${(index % 250) + 1}`
}

/** Nothing of the user's own: HOME is empty, so that no rc file runs but those that a case puts there. */
function sshdConfig(directory: string, home: string): string {
  return `HostKey ${directory}/host_key
AuthorizedKeysFile ${directory}/id_ed25519.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
MaxStartups 1000
MaxSessions 100
LoginGraceTime 120
SetEnv HOME=${home}
Subsystem sftp internal-sftp
`
}

function answers(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
