import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect as connectSocket, Socket } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { NodeSSH, type Config } from 'node-ssh'
import type { Client, ServerHostKeyAlgorithm } from 'ssh2'
import { BrambleError, ConnectionError, TimeoutError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'
import { judgeHostKey } from './host-key.ts'
import { knownKeys } from './known-hosts.ts'

/** How to reach one host. */
export interface Target {
  /** The name in the inventory, for messages. */
  name: string
  host: string
  port: number
  user: string
  keyFile?: string
  password?: Secret
  /** Commands run as root through sudo, unless the user is root. */
  become: boolean
  becomePassword?: Secret
  /** A known_hosts file; new hosts are added to it. */
  knownHosts: string
  /** A command whose stdin and stdout are the connection; `%h` and `%p` stand for host and port. */
  proxyCommand?: string
  /** Seconds until a host that does not answer counts as unreachable. */
  connectTimeout: number
}

/**
 * Opens an authenticated SSH connection whose host key has been checked.
 *
 * Errors: ConnectionError when the host is not reached or refuses the login; says which of them, and what to try.
 */
export async function openClient(target: Target): Promise<Client> {
  const ssh = new NodeSSH()
  const known = knownAlgorithms(target)
  const { socket, problem } = openSocket(target)
  let keyError: BrambleError | undefined
  // What a proxy command reaches is not known.
  let reached = target.proxyCommand !== undefined
  socket.once('connect', () => (reached = true))
  const config: Config = {
    sock: socket,
    username: target.user,
    readyTimeout: target.connectTimeout * 1000,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    hostVerifier: (key: Buffer) => {
      keyError = judgeHostKey(target.knownHosts, target.name, target, key)
      return keyError === undefined
    },
    // A host known by one kind of key must be asked for that kind.
    ...(known.length > 0 && { algorithms: { serverHostKey: { prepend: known, append: [], remove: [] } } }),
    ...credentials(target),
  }
  try {
    await ssh.connect(config)
  } catch (error) {
    const stuck = reached && hung(target, socket, error as Error)
    socket.destroy()
    throw keyError ?? (stuck || explain(target, error as Error, await problem()))
  }
  const client = ssh.connection
  if (!client) throw new ConnectionError('the connection closed at once', { host: target.name })
  // Without a listener a later socket error would end the process; who waits on the connection sees it close.
  client.on('error', () => undefined)
  return client
}

/** How a key of each kind can be asked for. Of a kind that is not here, ssh2 knows nothing. */
const algorithms = new Map<string, ServerHostKeyAlgorithm[]>([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
])

function knownAlgorithms(target: Target): ServerHostKeyAlgorithm[] {
  const known = knownKeys(target.knownHosts, target.host, target.port)
  return known.flatMap(({ type }) => algorithms.get(type) ?? [])
}

function openSocket(target: Target): { socket: Duplex; problem: () => Promise<string> } {
  if (!target.proxyCommand) {
    // ssh2 leaves Nagle on, which costs 40 ms a command.
    return {
      socket: connectSocket({ host: target.host, port: target.port, noDelay: true }),
      problem: () => Promise.resolve(''),
    }
  }
  const command = target.proxyCommand.replaceAll('%h', target.host).replaceAll('%p', String(target.port))
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin })
  socket.on('close', () => child.kill())
  socket.on('error', () => child.kill())
  child.on('error', (error) => socket.destroy(error))
  // Its last words may arrive after the end of the connection that they explain.
  const closed = once(child, 'close').catch(() => undefined)
  const problem = async () => {
    await Promise.race([closed, delay(500, undefined, { ref: false })])
    return stderr
  }
  return { socket, problem }
}

function credentials(target: Target): { privateKey?: string; agent?: string; password?: string } {
  const password = target.password ? { password: target.password.reveal() } : {}
  if (target.keyFile) return { privateKey: readKey(target.keyFile), ...password }
  if (target.password) return password
  const agent = process.env['SSH_AUTH_SOCK']
  const file = ['id_ed25519', 'id_ecdsa', 'id_rsa']
    .map((name) => join(homedir(), '.ssh', name))
    .find((path) => existsSync(path))
  return { ...(agent && { agent }), ...(file && { privateKey: readKey(file) }) }
}

function readKey(file: string): string {
  const path = file.replace(/^~(?=\/)/, homedir())
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConnectionError(`cannot read the private key ${path}`, {
      cause,
      found: (cause as Error).message,
      next: 'Name the right file in ansible_ssh_private_key_file.',
    })
  }
}

/** What took the connection and did not go on with it. */
function hung(
  target: Target,
  socket: Duplex,
  cause: Error & { level?: string },
): ConnectionError | undefined {
  if (cause.level !== 'client-timeout') return undefined
  const spoke = socket instanceof Socket && socket.bytesRead > 0
  const what = spoke ? 'began to speak SSH, but did not go on' : 'took the connection, but did not speak SSH'
  return new TimeoutError(
    `${target.user}@${target.host}:${target.port} ${what} within ${target.connectTimeout} s`,
    {
      host: target.name,
      cause,
      next: 'It hangs, or something else listens there. If it is only slow, raise ansible_timeout.',
    },
  )
}

function explain(
  target: Target,
  cause: Error & { code?: string; level?: string },
  stderr: string,
): ConnectionError {
  const where = `${target.user}@${target.host}:${target.port}`
  const details = { host: target.name, cause, found: cause.message, stderr }
  if (cause.level === 'client-authentication') {
    return new ConnectionError(`${where} refused the login`, {
      ...details,
      expected: target.keyFile
        ? `the key ${target.keyFile} to be accepted`
        : 'a key or password to be accepted',
      next: `Try it by hand: ssh -p ${target.port}${target.keyFile ? ` -i ${target.keyFile}` : ''} ${target.user}@${target.host}`,
    })
  }
  return new ConnectionError(`${where} cannot be reached`, {
    ...details,
    next: 'Is it switched on, on this network, and is its SSH server running?',
  })
}
