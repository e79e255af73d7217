import { resource, type Common, type Resource, type Seen } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { stackFilter } from '../stack/state.ts'
import { dockerGet, parseJson } from './docker.ts'

export interface StackRemovedOptions extends Common {
  name: string
  /** Seconds that its tasks may take to end. Default 120. */
  timeout?: number
}

/**
 * No stack of this name, nor any task of it; to be run on a manager. A host that manages no swarm has none.
 *
 * Errors: tasks that still run when the time is over.
 *
 * @see https://docs.docker.com/reference/cli/docker/stack/rm/
 * @example stackRemoved({ name: 'ha-stack' })
 */
export function stackRemoved({ name, timeout = 120, ...common }: StackRemovedOptions): Resource {
  const filters = stackFilter(name)
  return resource(
    {
      title: `no stack ${name}`,
      probe: dockerGet(
        `/services?filters=${filters}`,
        `/tasks?filters=${filters}`,
        `/configs?filters=${filters}`,
      ),
      settle: timeout,
      plan(seen) {
        const { services, tasks, configs } = read(seen)
        if (services + configs > 0) {
          return {
            diff: `- stack ${name}: ${services} services, ${configs} configs`,
            apply: sh`docker stack rm ${name} >/dev/null`,
          }
        }
        return tasks === 0 ? undefined : { diff: `- ${tasks} tasks are ending`, apply: sh`:`, waits: true }
      },
    },
    common,
  )
}

function read({ stdout }: Seen): { services: number; tasks: number; configs: number } {
  const [services = 0, tasks = 0, configs = 0] = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(parseJson)
    .map((answer) => (Array.isArray(answer) ? answer.length : 0))
  return { services, tasks, configs }
}
