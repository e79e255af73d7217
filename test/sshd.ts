import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrambleError } from '../src/errors.ts'
import { run } from '../src/lab/run.ts'
import { until } from '../src/lab/wait.ts'
import { ensurePackages } from './packages.ts'

export interface Sshd {
  host: '127.0.0.1'
  port: number
  user: 'root'
  /** Path of the private key that it accepts. */
  keyFile: string
  /** Its public key: `ssh-ed25519 AAAA…`. */
  hostKey: string
  /** A line for a known_hosts file: `[127.0.0.1]:40123 ssh-ed25519 AAAA…`. */
  knownHosts: string
  /** What it logged so far. */
  log(): string
  /** Ends it and its connections at once. */
  stop(): Promise<void>
}

/**
 * Starts an OpenSSH server on a free port of 127.0.0.1, which runs commands on this computer as root. It ends with
 * the process that started it, however that ends.
 *
 * @param config further lines of sshd_config(5), which win over the ones used here
 * @example const sshd = await startSshd('MaxSessions 1')
 */
export async function startSshd(config = ''): Promise<Sshd> {
  await ensurePackages({ sshd: 'openssh-server', 'ssh-keygen': 'openssh-client' })
  const directory = mkdtempSync(join(tmpdir(), 'bramble-sshd-'))
  const file = (name: string) => join(directory, name)
  await Promise.all(
    ['host_key', 'id_ed25519'].map((name) =>
      run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file(name)]),
    ),
  )
  const port = await freePort()
  const settings = `${config}
ListenAddress 127.0.0.1:${port}
HostKey ${file('host_key')}
AuthorizedKeysFile ${file('id_ed25519.pub')}
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
MaxStartups 1000
Subsystem sftp internal-sftp
`
  writeFileSync(file('config'), settings)
  mkdirSync('/run/sshd', { recursive: true })
  // In a PID namespace, so that ending it ends its connections too; with a place of its own for the lock of a host,
  // since several of them stand for as many hosts.
  mkdirSync('/run/bramble', { recursive: true })
  const inNamespace = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL']
  const mounted = ['sh', '-c', 'mount -t tmpfs tmpfs /run/bramble && exec "$@"', 'sh']
  const server = [...mounted, '/usr/sbin/sshd', '-D', '-f', file('config'), '-E', file('log')]
  const child = spawn('setpriv', [...inNamespace, ...server], { stdio: 'ignore', detached: true })
  const log = () => readFileSync(file('log'), { encoding: 'utf8', flag: 'a+' })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    }
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await until('sshd to listen', 10_000, () => answers(port, child.exitCode === null), 10)
  } catch (cause) {
    const stderr = log()
    await stop()
    throw new BrambleError('sshd did not start', { stderr, cause })
  }
  const hostKey = readFileSync(file('host_key.pub'), 'utf8').trim()
  const knownHosts = `[127.0.0.1]:${port} ${hostKey}`
  return {
    host: '127.0.0.1',
    port,
    user: 'root',
    keyFile: file('id_ed25519'),
    hostKey,
    knownHosts,
    log,
    stop,
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new BrambleError('no free port')
  return address.port
}

function answers(port: number, alive: boolean): Promise<boolean> {
  if (!alive) throw new BrambleError('sshd has ended')
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
