import type { Readable } from 'node:stream'
import type { TaskError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'
import { becoming } from './become.ts'
import type { Sh } from './sh.ts'

/** What a probe printed, as UTF-8 text, and the code it exited with. */
export interface Seen {
  code: number
  stdout: string
  /** What it printed besides, where it was asked by itself. */
  stderr?: string
  /** When its end arrived, by the clock here, in milliseconds since 1970. */
  answered?: number
}

/** What a resource wants changed, and how. */
export interface Change {
  /** What `--diff` shows: a unified diff where there is text to compare, else `- found` / `+ wanted` lines. */
  diff: string
  /** Runs in a POSIX `sh` with `set -e`, as root unless the task names another user; stdin is /dev/null. */
  apply: Sh
  /** The connection is expected to go away and the machine to come back with a new boot_id. */
  reboots?: true
  /** Nothing is written: the host is only given time, up to `settle`. Counts as ok once it is so. */
  waits?: true
  /** Only sees something through that this run has changed before, and has told then: counts as ok once it is so. */
  completes?: true
  /** What is thrown if it is still so when that time is over, and in check mode at once. Default: `did not converge`. */
  failure?: TaskError
  /** What an earlier task is for may do it, too: in check mode it is unknown when one on the host is to change. */
  uncertain?: true
  /** Opens what `apply` reads from its stdin, for content too large to travel inside a script. */
  input?: () => Readable
}

/** Something done once at the end of a play on each host where a resource that names it changed. */
export interface Handler {
  title: string
  apply: Sh
  /** Run it as this user. Default `root`. */
  becomeUser?: string
}

export type Facts = Readonly<Record<string, string | Secret>>

/** One thing that shall be so on one host. */
export interface Resource {
  readonly title: string
  /** Reads, never writes. Runs in a subshell of a POSIX `sh`, as root unless the task names another user; stdin is /dev/null. */
  readonly probe: Sh
  /** Pure: what has to change given what was seen; undefined when it is already so. Throws what cannot be mended. */
  plan(seen: Seen): Change | undefined
  /** What later plays may ask about this host. */
  facts?(seen: Seen): Facts
  readonly notify: readonly Handler[]
  readonly tags: readonly string[]
  /** The file that a change writes. */
  readonly writes?: string
  /** Files, or directories of files, that decide what is to be done: in check mode unknown if one is to change. */
  readonly restsOn?: readonly string[]
  /** Seconds that `apply` may take. Default 900. */
  readonly timeout: number
  /** Seconds that the probe is repeated after `apply` until `plan` says it is so. Default 0: it must be so at once. */
  readonly settle: number
  /** Made where the user wrote the task: its stack tells file and line. */
  readonly origin: Error
}

/** What every module takes besides its own options. */
export interface Common {
  /** What reports call this task; by default the module's own wording. */
  title?: string
  /** Handlers to run at the end of the play if this changes. */
  notify?: Handler | readonly Handler[]
  /** Names for `--tags`. */
  tags?: readonly string[]
  /** Seconds the change may take. Default 900. */
  timeout?: number
  /**
   * Look and change as this user, who has to be there: with the user's rights, HOME and groups, in the home directory,
   * but without a login session. Default `root`.
   */
  becomeUser?: string
}

type Parts = Pick<Resource, 'title' | 'probe' | 'plan' | 'facts' | 'writes' | 'restsOn'> & { settle?: number }

/**
 * Makes a Resource: what a module returns.
 *
 * @example
 * const hostname = (name: string): Resource => resource({
 *   title: `hostname ${name}`,
 *   probe: sh`hostname`,
 *   plan: (seen) => seen.stdout.trim() === name ? undefined
 *     : { diff: `- ${seen.stdout.trim()}\n+ ${name}`, apply: sh`hostnamectl set-hostname ${name}` },
 * })
 */
export function resource(parts: Parts, common: Common = {}): Resource {
  const { notify = [], becomeUser } = common
  return {
    settle: 0,
    ...(becomeUser === undefined ? parts : becoming(becomeUser, parts)),
    title: common.title ?? parts.title,
    notify: Array.isArray(notify) ? notify : [notify as Handler],
    tags: common.tags ?? [],
    timeout: common.timeout ?? 900,
    origin: new Error('origin'),
  }
}
