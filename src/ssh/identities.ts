import ssh2, { type BaseAgent, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'
import { fingerprint } from './fingerprint.ts'
import { lockedKey, readKeyFile, type KeyFile } from './key-files.ts'
import type { Target } from './target.ts'
import { ConnectionError, type BrambleError } from '../errors.ts'

/** A key that a server is offered. */
export interface Offered {
  key: ParsedKey
  /** Where it is from, for messages. */
  from: string
  file?: KeyFile
  inAgent: boolean
}

/** Seconds that an agent may take to tell its keys. */
const AGENT_TIMEOUT = 10

/** The keys of agents, by socket: each is asked once, not for every host. */
const agents = new Map<string, Promise<ParsedKey[]>>()

/**
 * The keys to offer, in ssh's order: the agent's that a file names too, the agent's others, files.
 *
 * Errors: ConnectionError for a file of the inventory that cannot be read.
 */
export async function offeredKeys(target: Target): Promise<Offered[]> {
  const inAgent = target.agent ? await agentKeys(target.agent) : []
  const files = keyFiles(target)
  const byKey = new Map(files.map((file) => [idOf(file.public), file]))
  const ofAgent = inAgent.map((key): Offered => {
    const file = byKey.get(idOf(key))
    return { key, from: `ssh-agent ${fingerprint(key.getPublicSSH())}`, inAgent: true, ...(file && { file }) }
  })
  const held = new Set(inAgent.map(idOf))
  const ofFiles = files.flatMap((file): Offered[] =>
    file.public && !held.has(idOf(file.public)) && (file.private || file.locked)
      ? [{ key: file.public, from: file.path, file, inAgent: false }]
      : [],
  )
  const named = ofAgent.filter(({ file }) => file)
  const others = target.identitiesOnly ? [] : ofAgent.filter(({ file }) => !file)
  return [...named, ...others, ...ofFiles]
}

/** The files of a target that are there and can be read; only what the inventory names has to be. */
export function keyFiles({ identities, identitiesFrom }: Target): KeyFile[] {
  return identities.flatMap((path) => {
    try {
      const file = readKeyFile(path)
      if (!file && identitiesFrom === 'inventory') {
        throw new ConnectionError(`cannot read the private key ${path}`, {
          found: 'there is no such file',
          next: 'Name the right file in ansible_ssh_private_key_file.',
        })
      }
      return file ? [file] : []
    } catch (error) {
      if (identitiesFrom === 'inventory') throw error
      return []
    }
  })
}

/** Signs with whatever holds the key; asked by ssh2 for the one key that the server has accepted. */
export class Signer extends ssh2.BaseAgent<ParsedKey> {
  readonly #offered: readonly Offered[]
  readonly #agent: BaseAgent | undefined
  /** Why a key that the server accepts could not be used. */
  problem: BrambleError | undefined

  constructor(offered: readonly Offered[], agent: string | undefined) {
    super()
    this.#offered = offered
    this.#agent = agent === undefined ? undefined : ssh2.createAgent(agent)
  }

  override getIdentities(callback: (error: Error | null | undefined, keys?: ParsedKey[]) => void): void {
    callback(
      null,
      this.#offered.map(({ key }) => key),
    )
  }

  override sign(
    key: ParsedKey | Buffer | string,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : (callback ?? (() => undefined))
    const settings = typeof options === 'function' ? {} : options
    const offered = this.#offered.find((one) => one.key === key)
    if (offered?.inAgent && this.#agent) {
      const unsigned = (why: string) =>
        new ConnectionError('ssh-agent did not sign', {
          found: `${offered.from}: ${why}`,
          next: 'Is it locked, or does it wait for you to confirm? ssh-add -l lists its keys.',
        })
      // Why the login takes too long, if it does.
      this.problem = unsigned('no answer yet')
      this.#agent.sign(offered.key, data, settings, (error, signature) => {
        this.problem = error ? unsigned(error.message) : undefined
        done(error, signature)
      })
      return
    }
    const opened = offered?.file?.private
    if (opened === undefined) {
      const { message, next } = lockedKey(offered?.file?.path ?? '')
      this.problem = new ConnectionError(message, { next })
      return done(this.problem)
    }
    const signature: Buffer | Error = opened.sign(data, settings.hash)
    if (signature instanceof Error) done(signature)
    else done(null, signature)
  }
}

function agentKeys(socket: string): Promise<ParsedKey[]> {
  const known = agents.get(socket)
  if (known) return known
  const asked = new Promise<ParsedKey[]>((resolve) => {
    const late = setTimeout(() => {
      process.emitWarning(
        `ssh-agent at ${socket} did not answer within ${AGENT_TIMEOUT} s: no key of it is used`,
      )
      resolve([])
    }, AGENT_TIMEOUT * 1000)
    // An agent that is gone has no keys; there may be files.
    ssh2.createAgent(socket).getIdentities((error, keys) => {
      clearTimeout(late)
      resolve(
        error
          ? []
          : (keys ?? []).flatMap((key) => (typeof key === 'object' && 'getPublicSSH' in key ? [key] : [])),
      )
    })
  })
  agents.set(socket, asked)
  return asked
}

function idOf(key: ParsedKey | undefined): string {
  return key ? key.getPublicSSH().toString('base64') : ''
}
