import { InputError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { UnknownFact } from '../playbook/facts.ts'
import { thrown } from '../playbook/load.ts'
import type { Context, Play, Playbook } from '../playbook/play.ts'
import type { Resource } from '../playbook/resource.ts'
import { handlerResource, handlersOf } from './handlers.ts'

/** The hosts of a run that a play is for, in the pattern's order. */
export function hostsOf(play: Play, context: Context): Host[] {
  const alive = new Set(context.alive)
  const hosts = context.cluster.match(play.hosts).filter((host) => alive.has(host))
  return play.runOnce ? hosts.slice(0, 1) : hosts
}

/** A play's tasks for a host, the handlers they name at the end. Errors: UnknownFact, or what the playbook throws. */
export function tasksOf(play: Play, host: Host, context: Context): Resource[] {
  const resources = [...play.tasks(host, context)]
  return [...resources, ...handlersOf(resources).map(handlerResource)]
}

/** The tasks of later plays on a host, as far as they can be told before those plays' facts are known. */
export function tasksAhead(
  plays: readonly Play[],
  host: Host,
  context: Context,
  tags?: readonly string[],
): Resource[] {
  return plays
    .filter((play) => hostsOf(play, context).includes(host))
    .flatMap((play) => {
      try {
        return taggedTasks(play, knownTasks(play, host, context), tags)
      } catch {
        // What is wrong with a play is told when its turn comes, and not as a failure of the task before.
        return []
      }
    })
}

/** Builds every task once, before any connection is opened, so that what is wrong in a playbook shows first. */
export function checkPlaybook(file: string, playbook: Playbook, context: Context): void {
  const notifying = new Map<Host, Resource[]>(context.alive.map((host) => [host, []]))
  try {
    for (const play of playbook.plays) {
      for (const host of hostsOf(play, context)) {
        const tasks = knownTasks(play, host, context)
        notifying.get(host)?.push(...tasks.filter(({ notify }) => notify.length > 0))
      }
    }
    // Two of one name may be in two plays.
    for (const tasks of notifying.values()) handlersOf(tasks)
  } catch (error) {
    throw thrown(file, error)
  }
}

/** The tasks of a play that have one of the tags, or all where the play itself has; with the handlers they name. */
export function taggedTasks(
  play: Play,
  resources: readonly Resource[],
  tags?: readonly string[],
): Resource[] {
  if (!tags || tags.some((tag) => play.tags?.includes(tag))) return [...resources]
  const wanted = resources.filter((resource) => tags.some((tag) => resource.tags.includes(tag)))
  const named = new Set(handlersOf(wanted).map((handler) => handlerResource(handler).title))
  return resources.filter((resource) => wanted.includes(resource) || named.has(resource.title))
}

/** Errors: InputError for a tag that no play and no task has, as far as they are known before facts are. */
export function checkTags(tags: readonly string[], playbook: Playbook, context: Context): void {
  const known = new Set(
    playbook.plays.flatMap((play) => [
      ...(play.tags ?? []),
      // Of all hosts: a tag is no less known because --limit leaves its hosts out.
      ...context.cluster
        .match(play.hosts)
        .flatMap((host) => knownTasks(play, host, context).flatMap((task) => task.tags)),
    ]),
  )
  const unknown = tags.filter((tag) => !known.has(tag))
  if (unknown.length === 0) return
  throw new InputError(`--tags ${unknown.join(',')}: no play and no task has this tag`, {
    expected: known.size > 0 ? [...known].toSorted().join(', ') : 'no --tags: this playbook has none',
  })
}

/** Hosts in groups of `serial`, a number or a share of them all. */
export function batches(hosts: readonly Host[], serial: Play['serial']): Host[][] {
  const size =
    typeof serial === 'string'
      ? Math.max(1, Math.floor((hosts.length * Number.parseFloat(serial)) / 100))
      : serial
  const count = Math.max(1, size ?? hosts.length)
  const groups: Host[][] = []
  for (let index = 0; index < hosts.length; index += count) groups.push(hosts.slice(index, index + count))
  return groups
}

function knownTasks(play: Play, host: Host, context: Context): Resource[] {
  const resources: Resource[] = []
  try {
    const ahead = { ...context, facts: context.facts.lookingAhead() }
    for (const resource of play.tasks(host, ahead)) resources.push(resource)
  } catch (error) {
    if (!(error instanceof UnknownFact)) throw error
  }
  return [...resources, ...handlersOf(resources).map(handlerResource)]
}
