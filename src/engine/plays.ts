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
export function tasksAhead(plays: readonly Play[], host: Host, context: Context): Resource[] {
  return plays
    .filter((play) => hostsOf(play, context).includes(host))
    .flatMap((play) => {
      try {
        return knownTasks(play, host, context)
      } catch {
        // What is wrong with a play is told when its turn comes, and not as a failure of the task before.
        return []
      }
    })
}

/** Builds every task once, before any connection is opened, so that what is wrong in a playbook shows first. */
export function checkPlaybook(file: string, playbook: Playbook, context: Context): void {
  for (const play of playbook.plays) {
    try {
      for (const host of hostsOf(play, context)) knownTasks(play, host, context)
    } catch (error) {
      throw thrown(file, error)
    }
  }
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
