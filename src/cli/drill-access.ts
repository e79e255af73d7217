import { setTimeout as delay } from 'node:timers/promises'
import type { Access } from '../drill/stage.ts'
import { run } from '../engine/run.ts'
import { ConnectionError, TaskError, TimeoutError } from '../errors.ts'
import type { Host, Inventory } from '../inventory/index.ts'
import { playbook } from '../playbook/play.ts'
import { openSession, type Session } from '../ssh/session.ts'
import type { Target } from '../ssh/target.ts'
import { lookout } from './look.ts'
import { projectDirectory, templates } from './project.ts'

interface Options extends Pick<Access, 'signal' | 'plugs'> {
  inventory: Inventory
  /** What the inventory was given as. */
  path: string
  targetOf: (host: Host, patience?: number) => Target
}

/** How drills reach a cluster: over connections that stay open, so that what they do is done at once. */
export function drillAccess({ inventory, path, targetOf, ...rest }: Options): Access & { close(): void } {
  const sessions = new Map<Host, Session>()
  const sight = lookout(inventory, path, inventory.hosts, targetOf)
  const forget = (hosts: readonly Host[]) => {
    for (const host of hosts) {
      sessions.get(host)?.close()
      sessions.delete(host)
    }
  }
  const ask = async (host: Host, command: string, seconds: number) => {
    const session = sessions.get(host) ?? (await openSession(targetOf(host)))
    sessions.set(host, session)
    return session.run([command], seconds)
  }
  return {
    ...rest,
    cluster: inventory,
    forget,
    async run(host, { text }, seconds = 60) {
      const kept = sessions.has(host)
      const { answers } = await ask(host, text, seconds).catch((error: unknown) => {
        forget([host])
        // A host that has been restarted since the last time has ended the connection.
        if (!kept || !(error instanceof ConnectionError) || error instanceof TimeoutError) throw error
        return ask(host, text, seconds)
      })
      const { code, stdout, stderr } = answers[0] ?? { code: 1, stdout: '', stderr: '' }
      if (code === 0) return stdout
      throw new TaskError('a command of the drill failed', {
        host: host.name,
        expected: 'exit code 0',
        found: `exit code ${code} of: ${text}`,
        stderr,
      })
    },
    async pause(seconds) {
      await delay(seconds * 1000, undefined, { signal: rest.signal }).catch(() => undefined)
    },
    async look() {
      return (await sight.look(true)).status
    },
    async play(name, plays, signal) {
      const reasons: string[] = []
      const result = await run({
        playbook: playbook({ name, plays }),
        file: `drill: ${name}`,
        cluster: inventory,
        hosts: inventory.hosts,
        template: templates(projectDirectory()),
        archives: [],
        connect: (host, patience) => openSession(targetOf(host, patience)),
        listener: (event) => {
          if (event.type === 'failed') reasons.push(event.reason)
        },
        ...(signal && { signal }),
      })
      // A machine that they have restarted may not have ended its connection.
      forget([...sessions.keys()])
      if (!result.ok && !result.interrupted)
        throw new TaskError(`${name} failed`, { found: reasons.join('\n') })
    },
    close() {
      forget([...sessions.keys()])
      sight.close()
    },
  }
}
