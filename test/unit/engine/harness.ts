import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, type RunOptions, type RunResult } from '../../../src/engine/run.ts'
import type { Event } from '../../../src/engine/events.ts'
import { ConnectionError } from '../../../src/errors.ts'
import type { Play } from '../../../src/playbook/play.ts'
import { resource, type Common, type Resource } from '../../../src/playbook/resource.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { hosts as withAddresses, inventoryOf } from '../inventory/fixture.ts'
import { LocalSession } from './local-session.ts'

type TaskEvent = Extract<Event, { type: 'task' }>

export interface Outcome extends RunResult {
  events: Event[]
  tasks: TaskEvent[]
  /** `host title` of the tasks with this status, or `title` when there is one host. */
  titles: (status: TaskEvent['status']) => string[]
  /** Why each host that failed did. */
  reasons: Record<string, string>
  /** Hosts in the order in which they were connected to. */
  connected: string[]
  stopped: string | undefined
}

export interface LocalOptions extends Partial<
  Pick<RunOptions, 'check' | 'tags' | 'forks' | 'signal' | 'connect' | 'forceUnlock'>
> {
  hosts?: string[]
  /** Hosts that refuse to be connected to. */
  unreachable?: string[]
  /** Each event as it comes. */
  onEvent?: (event: Event) => void
  /** A directory under which each host has a /var/lib of its own. */
  varLib?: string
}

/** Runs plays over shells of this machine, each of which stands for a host. */
export async function runLocally(plays: readonly Play[], options: LocalOptions = {}): Promise<Outcome> {
  const { hosts: names = ['rpi1'], unreachable = [], onEvent, varLib, ...rest } = options
  const cluster = await inventoryOf(`all:\n  hosts:\n${withAddresses(...names)}`)
  const events: Event[] = []
  const connected: string[] = []
  const result = await run({
    playbook: { name: 'test', plays },
    file: 'test.ts',
    cluster,
    hosts: cluster.hosts,
    template: (name) => ({ name, text: '' }),
    archives: [],
    connect: ({ name }) => {
      connected.push(name)
      if (unreachable.includes(name)) return Promise.reject(new ConnectionError('cannot be reached'))
      if (varLib === undefined) return Promise.resolve(new LocalSession())
      mkdirSync(join(varLib, name), { recursive: true })
      return Promise.resolve(new LocalSession({ varLib: join(varLib, name) }))
    },
    listener: (event) => {
      events.push(event)
      onEvent?.(event)
    },
    ...rest,
  })
  const tasks = events.filter((event) => event.type === 'task')
  const label = ({ host, title }: TaskEvent) => (names.length === 1 ? title : `${host} ${title}`)
  const failures = events.filter((event) => event.type === 'failed')
  return {
    ...result,
    events,
    tasks,
    titles: (status) => tasks.filter((task) => task.status === status).map(label),
    reasons: Object.fromEntries(failures.map(({ host, reason }) => [host, reason])),
    connected,
    stopped: events.find((event) => event.type === 'summary')?.stopped,
  }
}

/** A play over all hosts. */
export function over(tasks: Play['tasks'] | readonly Resource[], parts: Partial<Play> = {}): Play {
  return { name: 'test', hosts: 'all', tasks: typeof tasks === 'function' ? tasks : () => tasks, ...parts }
}

/** A file that shall hold a text: the smallest resource there is. */
export function holds(path: string, text: string, common: Common = {}): Resource {
  return resource(
    {
      title: `${path.replace(/.*\//, '')} holds ${text}`,
      probe: sh`cat ${path} 2>/dev/null || :`,
      plan: ({ stdout }) =>
        stdout === text
          ? undefined
          : { diff: `- ${stdout}\n+ ${text}`, apply: sh`printf %s ${text} >${path}` },
      facts: ({ stdout }) => ({ text: stdout }),
    },
    common,
  )
}

/** A directory for each test of a `describe`. */
export function directoryForEach(): {
  path: string
  at: (name: string) => string
  read: (name: string) => string
} {
  const directory = {
    path: '',
    at: (name: string) => join(directory.path, name),
    read: (name: string) => readFileSync(join(directory.path, name), 'utf8'),
  }
  beforeEach(() => {
    directory.path = mkdtempSync(join(tmpdir(), 'bramble-engine-'))
  })
  afterEach(() => rmSync(directory.path, { recursive: true, force: true }))
  return directory
}
