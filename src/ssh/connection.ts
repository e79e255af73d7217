import { Socket } from 'node:net'
import { NodeSSH, type Config } from 'node-ssh'
import type { AuthenticationType, Client, ServerHostKeyAlgorithm } from 'ssh2'
import { BrambleError, ConnectionError, TimeoutError } from '../errors.ts'
import { checkHostKey, knownTypes } from './host-key.ts'
import { offeredKeys, Signer, type Offered } from './identities.ts'
import { openSocket } from './socket.ts'
import type { Target } from './target.ts'

/**
 * Opens an authenticated SSH connection whose host key has been checked.
 *
 * Errors: ConnectionError when the host is not reached or refuses the login; says which of them, and what to try.
 */
export async function openClient(target: Target): Promise<Client> {
  const offered = await offeredKeys(target).catch((error: unknown) => {
    throw named(target, error)
  })
  const signer = new Signer(offered, target.agent)
  let keyError: BrambleError | undefined
  const verify = (key: Buffer) => {
    keyError = checkHostKey(target, key)
    return keyError === undefined
  }
  // `none`, which nearly no server accepts, takes a round trip like every other: it comes last.
  const methods: AuthenticationType[] = ['agent', ...(target.password ? ['password' as const] : []), 'none']
  return connect(target, {
    hostVerifier: verify,
    agent: signer,
    authHandler: methods,
    ...(target.password && { password: target.password.reveal() }),
  }).catch((error: unknown) => {
    throw keyError ?? named(target, signer.problem) ?? explain(target, error, offered)
  })
}

/** An error about a key, which many hosts may share, with the host that it keeps away. */
function named(target: Target, error: unknown): unknown {
  if (!(error instanceof ConnectionError)) return error
  return new ConnectionError(error.message, { ...error.details, host: target.name })
}

/**
 * The key that a host shows now. Nothing of it is believed: it is not logged in to.
 *
 * Errors: ConnectionError when it is not reached, or a jump host on the way is not.
 */
export async function shownHostKey(target: Target): Promise<Buffer> {
  let shown: Buffer | undefined
  const verify = (key: Buffer) => {
    shown = key
    return false
  }
  const connected = connect(target, { hostVerifier: verify }).then(
    (client) => client.destroy(),
    (error: unknown) => error,
  )
  const error = await connected
  if (!shown) throw explain(target, error, [])
  return shown
}

async function connect(target: Target, more: Partial<Config>): Promise<Client> {
  const ssh = new NodeSSH()
  const known = algorithms(target)
  const { stream, problem } = await openSocket(target, openClient)
  // What a proxy command reaches is not known.
  let reached = target.proxyCommand !== undefined || target.via !== undefined
  stream.once('connect', () => (reached = true))
  const config: Config = {
    sock: stream,
    username: target.user,
    readyTimeout: target.connectTimeout * 1000,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    // A host known by one kind of key must be asked for that kind.
    ...(known.length > 0 && { algorithms: { serverHostKey: { prepend: known, append: [], remove: [] } } }),
    ...more,
  }
  try {
    await ssh.connect(config)
  } catch (error) {
    const cause = error as SshError
    const spoke = stream instanceof Socket && stream.bytesRead > 0
    stream.destroy()
    if (reached && cause.level === 'client-timeout') throw hung(target, spoke, cause)
    throw new Failure(cause, await problem())
  }
  const client = ssh.connection
  if (!client) throw new ConnectionError('the connection closed at once', { host: target.name })
  // Without a listener a later socket error would end the process; who waits on the connection sees it close.
  client.on('error', () => undefined)
  return client
}

type SshError = Error & { level?: string }

/** Why ssh2 gave up, and what a proxy command said to it. */
class Failure extends Error {
  override readonly cause: SshError
  readonly stderr: string

  constructor(cause: SshError, stderr: string) {
    super(cause.message)
    this.cause = cause
    this.stderr = stderr
  }
}

/** What took the connection and did not go on with it. */
function hung(target: Target, spoke: boolean, cause: SshError): ConnectionError {
  const { name, user, host, port, connectTimeout } = target
  const what = spoke ? 'began to speak SSH, but did not go on' : 'took the connection, but did not speak SSH'
  return new TimeoutError(`${user}@${host}:${port} ${what} within ${connectTimeout} s`, {
    host: name,
    cause,
    next: 'It hangs, or something else listens there. If it is only slow, raise ansible_timeout.',
  })
}

function algorithms(target: Target): ServerHostKeyAlgorithm[] {
  return knownTypes(target).flatMap((type): ServerHostKeyAlgorithm[] => {
    if (type === 'ssh-rsa') return ['rsa-sha2-512', 'rsa-sha2-256']
    return kinds.filter((kind) => kind === type)
  })
}

const kinds: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
]

function explain(target: Target, error: unknown, offered: readonly Offered[]): BrambleError {
  if (error instanceof BrambleError) return error
  const cause =
    error instanceof Failure ? error.cause : error instanceof Error ? error : new Error(String(error))
  const where = `${target.user}@${target.host}:${target.port}`
  const stderr = error instanceof Failure ? error.stderr : ''
  const through = target.via ? ` through ${target.via.name}` : ''
  const details = { host: target.name, cause, found: cause.message, stderr }
  // After so many keys, a server hangs up (MaxAuthTries).
  const tired = cause.message === 'Too many authentication failures'
  if (tired || ('level' in cause && cause.level === 'client-authentication')) {
    return new ConnectionError(`${where} refused the login`, {
      ...details,
      expected: expectation(target, offered),
      next: `Try it by hand: ${byHand(target)}`,
    })
  }
  return new ConnectionError(`${where} cannot be reached${through}`, {
    ...details,
    next: 'Is it switched on, on this network, and is its SSH server running?',
  })
}

function expectation({ password }: Target, offered: readonly Offered[]): string {
  const names = offered.map(({ from }) => from)
  if (password) names.push('the password')
  if (names.length === 0) return 'a key or password to be accepted; there is none to offer'
  const [only] = names
  if (names.length > 1) return `one of these to be accepted:\n${names.join('\n')}`
  return `${password ? only : `the key ${only}`} to be accepted`
}

function byHand({ user, host, port, identities, identitiesFrom, via }: Target): string {
  const key = identitiesFrom === 'inventory' && identities[0] ? ` -i ${identities[0]}` : ''
  const jump = via ? ` -J ${via.user}@${via.host}:${via.port}` : ''
  return `ssh -p ${port}${key}${jump} ${user}@${host}`
}
