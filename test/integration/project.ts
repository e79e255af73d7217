import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archives, target, templates } from '../../src/cli/project.ts'
import type { Event } from '../../src/engine/events.ts'
import { run } from '../../src/engine/run.ts'
import type { RunOptions, RunResult } from '../../src/engine/run.ts'
import { loadInventory } from '../../src/inventory/index.ts'
import { playbook } from '../../src/playbook/play.ts'
import type { Play, Playbook } from '../../src/playbook/play.ts'
import type { Resource } from '../../src/playbook/resource.ts'
import { openSession } from '../../src/ssh/session.ts'
import type { LightHost } from '../light-host.ts'

type TaskEvent = Extract<Event, { type: 'task' }>

export interface Outcome extends RunResult {
  tasks: TaskEvent[]
  /** Titles of the tasks with this status. */
  titles(status: TaskEvent['status']): string[]
  /** Why each host that failed did, as reports show it. */
  reasons: Record<string, string>
}

export interface Project {
  directory: string
  /** Runs a playbook, or the tasks of one play over all hosts, through the engine and over SSH. */
  apply(
    what: Playbook | Play['tasks'] | readonly Resource[],
    options?: Partial<Pick<RunOptions, 'check' | 'tags' | 'forks' | 'signal' | 'timeout' | 'template'>>,
  ): Promise<Outcome>
  remove(): void
}

/** A host's variables in an inventory. */
export function variablesOf(host: LightHost): Record<string, unknown> {
  return {
    ansible_host: host.address,
    ansible_user: host.user,
    ansible_ssh_private_key_file: host.keyFile,
    known_hosts: host.knownHosts,
    proxy_command: host.proxyCommand,
  }
}

/** A project folder with an inventory of these hosts; `all` is what it has besides: groups, settings. */
export function makeProject(
  hosts: Readonly<Record<string, Record<string, unknown>>>,
  all: { vars?: Record<string, unknown>; children?: Record<string, string[]> } = {},
): Project {
  const directory = mkdtempSync(join(tmpdir(), 'bramble-test-'))
  const children = Object.entries(all.children ?? {}).map(([group, names]) => [
    group,
    { hosts: Object.fromEntries(names.map((name) => [name, {}])) },
  ])
  const inventory = { all: { hosts, vars: all.vars ?? {}, children: Object.fromEntries(children) } }
  mkdirSync(join(directory, 'inventory'))
  // JSON is YAML too.
  writeFileSync(join(directory, 'inventory/hosts.yml'), JSON.stringify(inventory))
  const shipped = join(import.meta.dirname, '../..')
  return {
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
    async apply(what, options = {}) {
      const cluster = await loadInventory(join(directory, 'inventory'))
      const events: Event[] = []
      const result = await run({
        playbook: asPlaybook(what),
        file: 'test.ts',
        cluster,
        hosts: cluster.hosts,
        template: templates(shipped),
        archives: await archives(directory, cluster.settings),
        connect: (host) => openSession(target(directory, host)),
        listener: (event) => events.push(event),
        ...options,
      })
      const tasks = events.filter((event) => event.type === 'task')
      const failures = events.filter((event) => event.type === 'failed')
      return {
        ...result,
        tasks,
        titles: (status) => tasks.filter((task) => task.status === status).map((task) => task.title),
        reasons: Object.fromEntries(failures.map(({ host, reason }) => [host, reason])),
      }
    },
  }
}

function asPlaybook(what: Playbook | Play['tasks'] | readonly Resource[]): Playbook {
  if ('plays' in what) return what
  const tasks = typeof what === 'function' ? what : () => what
  return playbook({ name: 'test', plays: [{ name: 'test', hosts: 'all', tasks }] })
}
