import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../inventory/index.ts'
import type { HostConfig } from './config.ts'
import type { Target } from './target.ts'
import { expandFile, type Tokens } from './tokens.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The keys to log in with: the inventory's, those of the configuration, or those that ssh takes by default. */
export function identitiesOf(
  said: Partial<Connection>,
  config: HostConfig,
  tokens: Tokens,
  env: Environment,
): Pick<Target, 'identities' | 'identitiesFrom' | 'identitiesOnly' | 'agent'> {
  // Who gives a password means to use it.
  if (said.password && !said.keyFile)
    return { identities: [], identitiesFrom: 'inventory', identitiesOnly: true }
  const socket = agentOf(config.values.get('identityagent')?.[0], env, tokens)
  const agent = socket ? { agent: socket } : {}
  if (said.keyFile) {
    return { identities: [said.keyFile], identitiesFrom: 'inventory', identitiesOnly: true, ...agent }
  }
  const identitiesOnly = isYes(config.values.get('identitiesonly'))
  const named = config.identityFiles.filter((file) => file !== 'none').map((file) => expandFile(file, tokens))
  if (config.identityFiles.length > 0) {
    return { identities: named, identitiesFrom: 'config', identitiesOnly, ...agent }
  }
  const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name))
  return { identities: usual, identitiesFrom: 'default', identitiesOnly, ...agent }
}

function agentOf(written: string | undefined, env: Environment, tokens: Tokens): string | undefined {
  if (written === undefined || written === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK']
  if (written === 'none') return undefined
  const [, variable] = /^\$(\w+)$/.exec(written) ?? []
  return variable === undefined ? expandFile(written, tokens) : env[variable]
}

/** Which files know the host's key, and what becomes of one that is not known. */
export function hostKeysOf(
  said: Partial<Connection>,
  config: HostConfig,
  tokens: Tokens,
  project: string,
): Pick<Target, 'knownHosts' | 'alsoKnown' | 'hostKeys' | 'hostKeyAlias'> {
  const { values } = config
  const strict = isYes(values.get('stricthostkeychecking'))
  const alias = values.get('hostkeyalias')?.[0]
  const own = values.get('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']
  const all = values.get('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
  const others = [...own, ...all].filter((file) => file !== 'none').map((file) => expandFile(file, tokens))
  return {
    knownHosts: said.knownHosts ?? project,
    alsoKnown: said.knownHosts === undefined ? others : [],
    hostKeys: said.hostKeys ?? (strict ? 'strict' : 'accept-new'),
    ...(alias && { hostKeyAlias: alias }),
  }
}

/** As ssh reads it; see misc.c and readconf.c of OpenSSH. */
function isYes(words: readonly string[] | undefined): boolean {
  return /^(yes|true)$/i.test(words?.[0] ?? '')
}
