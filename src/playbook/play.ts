import type { Cluster, Host } from '../inventory/index.ts'
import type { Archive } from '../stack/archive.ts'
import type { FactStore } from './facts.ts'
import type { Resource } from './resource.ts'

/** A template of the project: its file name in `templates/`, and its text. */
export interface Template {
  name: string
  text: string
}

/** What a play's tasks may look at. */
export interface Context {
  cluster: Cluster
  /** What hosts told in earlier plays: `facts.get('rpi1', 'swarm')`; `find` does not mind if it was not told. */
  facts: FactStore
  /** Hosts that are in the run and have not failed. */
  alive: readonly Host[]
  /** Whether this run has changed something on a host so far; never in check mode. */
  wrote: boolean
  /** A file of `templates/`. Errors: InputError when it is not there. */
  template: (name: string) => Template
  /** Container images in the inventory's `images.archives` folder. */
  archives: readonly Archive[]
}

/** Tasks for the hosts of a pattern. All hosts finish a play before the next begins. */
export interface Play {
  name: string
  /** A pattern as in `--limit`: `all`, `managers`, `web:!rpi3`. */
  hosts: string
  /** How many hosts at a time: a number, or a share such as `'25%'`. Default: all. */
  serial?: number | `${number}%`
  /** Only the first host of the pattern that is still in the run. */
  runOnce?: boolean
  /** More hosts than this that fail in the play end the run, after those that are at work. Default: no limit. */
  maxFailures?: number
  /**
   * One failed host ends the run, after those that are at work: with `serial: 1`, for what could cost a quorum. `'tasks'`:
   * not a host that is lost or cannot be reached, only one on which a task fails.
   */
  critical?: boolean | 'tasks'
  /** Names for `--tags`. */
  tags?: readonly string[]
  /** What shall be so on a host. Plain TypeScript; called more than once, so it must only compute. */
  tasks(host: Host, context: Context): Iterable<Resource>
}

export interface Playbook {
  name: string
  /** The command that runs it, after a question; `bramble apply` does not. */
  runBy?: string
  plays: readonly Play[]
}

/**
 * Tasks for some hosts.
 *
 * @example
 * export const packages = play({
 *   name: 'packages',
 *   hosts: 'all',
 *   *tasks() {
 *     yield apt({ packages: ['chrony'] })
 *   },
 * })
 */
export function play(options: Play): Play {
  return options
}

/**
 * Plays, one after another; what a playbook file exports as its default. Playbooks may stand among the plays: theirs
 * have that playbook's name as a tag, so `--tags swarm,stack` runs two parts of `site`.
 *
 * @example export default playbook({ name: 'site', plays: [docker, swarm, packages] })
 */
export function playbook(
  options: Omit<Playbook, 'plays'> & { plays: readonly (Play | Playbook)[] },
): Playbook {
  return {
    ...options,
    plays: options.plays.flatMap((part) =>
      'plays' in part
        ? part.plays.map((one) => ({ ...one, tags: [...(one.tags ?? []), part.name] }))
        : [part],
    ),
  }
}
