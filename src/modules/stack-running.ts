import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { unfinished } from '../stack/convergence.ts'
import { readStack, stackProbe } from '../stack/state.ts'

export interface StackRunningOptions extends Common {
  name: string
  /** The directory that `stack()` deployed from: both rest on one probe. */
  directory: string
  /** Seconds that the services may take until all their tasks run. Default 300. */
  timeout?: number
}

/**
 * Every service of a stack runs completely; it is waited for. To be run on a manager. Nothing is deployed.
 * Facts: `active_nodes` (the hostnames of those that the swarm gives tasks, with a space between).
 *
 * Errors: the deadline, with the tasks that do not run and why.
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /tasks)
 * @example stackRunning({ name: 'ha-stack', directory: '/opt/bramble/ha-stack' })
 */
export function stackRunning({ name, directory, timeout = 300, ...common }: StackRunningOptions): Resource {
  return resource(
    {
      title: `stack ${name} runs`,
      probe: stackProbe(name, directory),
      settle: timeout,
      plan(seen) {
        const found = readStack(seen)
        const waiting = found ? unfinished(name, found) : ['- no swarm is managed from here']
        return waiting.length === 0 ? undefined : { diff: waiting.join('\n'), apply: sh`:`, waits: true }
      },
      facts: (seen) => ({
        active_nodes: (readStack(seen)?.nodes ?? [])
          .filter(({ Spec }) => Spec.Availability === 'active')
          .map(({ Description }) => Description.Hostname)
          .join(' '),
      }),
    },
    common,
  )
}
