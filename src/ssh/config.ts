import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { readConfigLines, type ConfigLine } from './config-lines.ts'
import { matchesList } from './glob.ts'
import { expandTokens, localTokens, localUser, type Tokens } from './tokens.ts'

/** The user's configuration of OpenSSH, as read; which of its lines hold is asked host by host. */
export type SshConfig = readonly ConfigLine[][]

/** Whom the configuration is asked about, and what beats it: the `-l`, `-p` and `-o HostName` of ssh(1). */
export interface Question {
  /** `Host` patterns are compared with each of them. */
  names: readonly [string, ...string[]]
  hostname?: string
  user?: string
  port?: number
}

/** What the configuration says of one host; what stands first counts. */
export interface HostConfig {
  /** The words after each keyword, by its name in lower case. */
  values: ReadonlyMap<string, readonly string[]>
  /** All files of `IdentityFile`, in the order they are tried. */
  identityFiles: readonly string[]
  hostname: string | undefined
  user: string | undefined
  port: number | undefined
  /** The command of `ProxyCommand` or the hosts of `ProxyJump`, whichever stands first. */
  proxy: { keyword: 'proxycommand' | 'proxyjump'; text: string } | undefined
  /** Sections left out for a criterion of `Match` that is not supported, a sentence each. */
  ignored: readonly string[]
}

/**
 * Reads `~/.ssh/config`, then `/etc/ssh/ssh_config`; with BRAMBLE_SSH_CONFIG that file alone, or nothing for `none`.
 *
 * @throws InputError for a line that is not valid, or when the file of BRAMBLE_SSH_CONFIG is not there
 * @see ssh_config(5)
 */
export function readSshConfig(named: string | undefined): SshConfig {
  const home = join(homedir(), '.ssh')
  if (named === 'none') return []
  if (named) {
    if (!existsSync(named)) {
      throw new InputError('the file of BRAMBLE_SSH_CONFIG is not there', {
        at: named,
        expected: 'a file, or none',
      })
    }
    return [readConfigLines(named, home)]
  }
  return [readConfigLines(join(home, 'config'), home), readConfigLines('/etc/ssh/ssh_config', '/etc/ssh')]
}

/** What the configuration says of a host. */
export function askConfig(config: SshConfig, question: Question): HostConfig {
  const reader = new Reader(question)
  for (const lines of config) reader.read(lines, true)
  return reader
}

class Reader implements HostConfig {
  readonly values = new Map<string, readonly string[]>()
  readonly identityFiles: string[] = []
  readonly ignored: string[] = []
  proxy: HostConfig['proxy']
  readonly #question: Question

  constructor(question: Question) {
    this.#question = question
  }

  get hostname(): string | undefined {
    const [written] = this.values.get('hostname') ?? []
    return this.#question.hostname ?? (written && expandTokens(written, { h: this.#question.names[0] }))
  }

  get user(): string | undefined {
    return this.#question.user ?? this.values.get('user')?.[0]
  }

  get port(): number | undefined {
    return this.#question.port ?? (this.values.has('port') ? Number(this.values.get('port')?.[0]) : undefined)
  }

  /** An included file counts where the `Include` does, whatever its own `Host` lines say. */
  read(lines: readonly ConfigLine[], counts: boolean): void {
    let active = counts
    for (const line of lines) {
      if (line.keyword === 'host') active = counts && matchesList(line.words, this.#question.names)
      else if (line.keyword === 'match') active = counts && this.#criteria(line)
      else if (line.keyword === 'include') line.included.forEach((included) => this.read(included, active))
      else if (active) this.#take(line)
    }
  }

  #take(line: ConfigLine): void {
    const { keyword, words } = line
    if (keyword === 'proxycommand' || keyword === 'proxyjump') return this.#takeProxy(keyword, line.rest)
    if (keyword === 'identityfile')
      this.identityFiles.push(...words.filter((one) => !this.identityFiles.includes(one)))
    else if (words.length > 0 && !this.values.has(keyword)) this.values.set(keyword, words)
    if (keyword === 'port') checkPort(line)
  }

  #takeProxy(keyword: 'proxycommand' | 'proxyjump', text: string): void {
    // `ProxyJump none` speaks of jump hosts only. OpenSSH took it so from 9.2p1-2+deb12u10 of Debian on; before, it kept a
    // later ProxyCommand out.
    const free =
      this.proxy?.keyword === 'proxyjump' && this.proxy.text === 'none' && keyword === 'proxycommand'
    if (free || !this.proxy) this.proxy = { keyword, text }
  }

  #criteria(line: ConfigLine): boolean {
    const words = [...line.words]
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      const negated = word.startsWith('!')
      const criterion = word.replace('!', '').toLowerCase()
      if (criterion === 'all') continue
      const holds = this.#holds(criterion, words.shift() ?? '', line.at)
      if (holds === undefined) {
        this.ignored.push(
          `${line.at}: \`Match ${criterion}\` is not supported: what stands below it is left out`,
        )
        return false
      }
      if (holds === negated) return false
    }
    return true
  }

  #holds(criterion: string, argument: string, at: string): boolean | undefined {
    const { names } = this.#question
    const patterns = argument.split(',')
    // Names of hosts have no case; `Host` lines have, and names of users.
    const lower = argument.toLowerCase().split(',')
    if (criterion === 'host') return matchesList(lower, this.hostname === undefined ? names : [this.hostname])
    if (criterion === 'originalhost') return matchesList(lower, names)
    if (criterion === 'user') return matchesList(patterns, [this.user ?? localUser()])
    if (criterion === 'localuser') return matchesList(patterns, [localUser()])
    if (criterion === 'exec') return succeeds(expandTokens(argument, this.#tokens()), at)
    return undefined
  }

  #tokens(): Tokens {
    const name = this.#question.names[0]
    return {
      h: this.hostname ?? name,
      n: name,
      p: String(this.port ?? 22),
      r: this.user ?? localUser(),
      ...localTokens(),
    }
  }
}

function checkPort({ words: [port = ''], at }: ConfigLine): void {
  if (Number(port) >= 1 && Number(port) <= 65535) return
  throw new InputError('Port is not valid', { at, expected: '1 to 65535', found: port || 'nothing' })
}

const outcomes = new Map<string, boolean>()

/** Seconds that a command of `Match exec` may take. */
const EXEC_TIMEOUT = 10

/** Runs a command of `Match exec` once, however many hosts ask for it. */
function succeeds(command: string, at: string): boolean {
  const known = outcomes.get(command)
  if (known !== undefined) return known
  const shell = process.env['SHELL'] ?? '/bin/sh'
  const { status, error } = spawnSync(shell, ['-c', command], {
    stdio: 'ignore',
    timeout: EXEC_TIMEOUT * 1000,
  })
  if (error && 'code' in error && error.code === 'ETIMEDOUT') {
    throw new InputError(`the command of a Match exec did not end within ${EXEC_TIMEOUT} s`, {
      at,
      found: command,
    })
  }
  const outcome = status === 0
  outcomes.set(command, outcome)
  return outcome
}
