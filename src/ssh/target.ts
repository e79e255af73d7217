import { InputError } from '../errors.ts'
import type { Connection, Host, HostKeys } from '../inventory/index.ts'
import type { Secret } from '../secrets/secret.ts'
import { askConfig, type HostConfig, type SshConfig } from './config.ts'
import { jumpText, parseJumps, type JumpHost } from './jump-hosts.ts'
import { hostKeysOf, identitiesOf } from './preferences.ts'
import { expandTokens, localTokens, localUser, type Tokens } from './tokens.ts'

/** How to reach one host. */
export interface Target {
  /** The name in the inventory, for messages. */
  name: string
  host: string
  port: number
  user: string
  /** Files of private keys, in the order they are tried. */
  identities: readonly string[]
  /** Who named them: a file that the inventory names has to be there. */
  identitiesFrom: 'inventory' | 'config' | 'default'
  /** The socket of an ssh-agent, whose keys are tried first. */
  agent?: string
  /** Of the agent's keys only those of `identities`. */
  identitiesOnly: boolean
  password?: Secret
  /** Commands run as root through sudo, unless the user is root. */
  become: boolean
  becomePassword?: Secret
  /** A known_hosts file; new hosts are added to it. */
  knownHosts: string
  /** More such files, which are only read, and asked about hosts that the first one does not know. */
  alsoKnown: readonly string[]
  hostKeys: HostKeys
  /** What the host is called in known_hosts instead of its address. */
  hostKeyAlias?: string
  /** A command whose stdin and stdout are the connection. */
  proxyCommand?: string
  /** The jump host that the connection goes through. */
  via?: Target
  /** This is a jump host. */
  isJump?: true
  /** Seconds until a host that does not answer counts as unreachable. */
  connectTimeout: number
  /** Sections of ssh_config that are left out, a sentence each. */
  ignored: readonly string[]
}

/** What all targets of a project share. */
export interface Surroundings {
  config: SshConfig
  /** The file that new host keys are recorded in. */
  knownHosts: string
  env: Readonly<Record<string, string | undefined>>
}

/**
 * How to reach a host: by what the inventory says, then ssh_config(5), then ssh's own defaults. `Host` lines are
 * compared with the host's name in the inventory and with its address there.
 *
 * @throws InputError for what is not valid in the configuration
 */
export function makeTarget({ name, address, connection }: Host, around: Surroundings): Target {
  const names: [string, string] = [name, connection.host ?? address]
  return resolve({ name, names, fallback: address, said: connection }, around, [])
}

interface Asked {
  name: string
  names: readonly [string, ...string[]]
  /** The address if neither the inventory nor the configuration gives one. */
  fallback: string
  said: Partial<Connection>
}

function resolve(
  { name, names, fallback, said }: Asked,
  around: Surroundings,
  passed: readonly (readonly string[])[],
): Target {
  const { host, port, user } = said
  const question = { names, ...(host && { hostname: host }), ...(port && { port }), ...(user && { user }) }
  const config = askConfig(around.config, question)
  const reached = {
    host: config.hostname ?? fallback,
    port: config.port ?? 22,
    user: config.user ?? localUser(),
  }
  const tokens = { h: reached.host, n: names[0], p: String(reached.port), r: reached.user }
  const local = { ...tokens, k: config.values.get('hostkeyalias')?.[0] ?? names[0], ...localTokens() }
  return {
    name,
    ...reached,
    ...identitiesOf(said, config, local, around.env),
    ...(said.password && { password: said.password }),
    become: said.become ?? true,
    ...(said.becomePassword && { becomePassword: said.becomePassword }),
    ...hostKeysOf(said, config, local, around.knownHosts),
    ...proxyOf(said, config, tokens, around, [...passed, names]),
    connectTimeout: said.connectTimeout ?? (Number(config.values.get('connecttimeout')?.[0]) || 10),
    ignored: config.ignored,
  }
}

/** A proxy command or a jump host; the inventory's beats the configuration's. */
function proxyOf(
  said: Partial<Connection>,
  config: HostConfig,
  tokens: Tokens,
  around: Surroundings,
  passed: readonly (readonly string[])[],
): Pick<Target, 'proxyCommand' | 'via'> {
  const ofInventory = said.proxyCommand ?? said.proxyJump
  const text = ofInventory ?? config.proxy?.text ?? 'none'
  if (text.toLowerCase() === 'none') return {}
  const isCommand = ofInventory === undefined ? config.proxy?.keyword === 'proxycommand' : said.proxyCommand
  if (isCommand) return { proxyCommand: expandTokens(text, tokens) }
  const via = jumpTarget(parseJumps(expandTokens(text, tokens)), said.hostKeys, around, passed)
  return via ? { via } : {}
}

/**
 * The last of these hosts, which is reached through the others; the first is reached as its own configuration says. Who
 * lets no unseen host in lets none in on the way, either.
 */
function jumpTarget(
  hosts: readonly JumpHost[],
  hostKeys: HostKeys | undefined,
  around: Surroundings,
  passed: readonly (readonly string[])[],
): Target | undefined {
  const before = hosts.slice(0, -1).map(jumpText).join(',')
  const last = hosts.at(-1)
  if (!last) return undefined
  // `Host *` with a ProxyJump means the jump host itself, too.
  if (before === '' && passed.at(-1)?.includes(last.host)) return undefined
  if (passed.flat().includes(last.host)) {
    throw new InputError('jump hosts lead back to where they came from', {
      found: [...passed.map(([name]) => name), last.host].join(' through '),
    })
  }
  const said = {
    ...(last.user && { user: last.user }),
    ...(last.port && { port: last.port }),
    ...(before && { proxyJump: before }),
    ...(hostKeys && { hostKeys }),
  }
  const asked = {
    name: `jump host ${jumpText(last)}`,
    names: [last.host] as const,
    fallback: last.host,
    said,
  }
  return { ...resolve(asked, around, passed), isJump: true }
}
