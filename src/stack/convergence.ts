import type { SwarmNode } from '../modules/swarm-nodes.ts'
import type { Service, SwarmSeen, Task } from './state.ts'

/** How far a service of a stack is. */
export interface ServiceState {
  /** Without the name of the stack. */
  name: string
  running: number
  desired: number
  /** The nodes that lack a task, with its newest one's state and error. */
  lacking: { node: string; task: string }[]
  /** What else is to be told: a task that no node takes, an update under way. */
  notes: string[]
  /** All that is wanted runs, and nothing is under way. */
  settled: boolean
}

/**
 * What is not running yet of a stack, a line for each service: how many tasks run, and for each node that lacks
 * one its newest task's state and error.
 *
 * @example unfinished('ha-stack', seen) // ['service nginx: 3 of 4 tasks run; rpi4: rejected: "no such image"']
 */
export function unfinished(stack: string, seen: SwarmSeen): string[] {
  return serviceStates(stack, seen)
    .filter(({ settled }) => !settled)
    .map(describeService)
}

/** One line on how far a service is. */
export function describeService({ name, running, desired, lacking, notes }: ServiceState): string {
  return [
    `service ${name}: ${running} of ${desired} tasks run`,
    ...lacking.map(({ node, task }) => `${node}: ${task}`),
    ...notes,
  ].join('; ')
}

/** How far each service of a stack is. */
export function serviceStates(stack: string, seen: SwarmSeen): ServiceState[] {
  return seen.services.map((service) => {
    const tasks = seen.tasks.filter(({ ServiceID }) => ServiceID === service.ID)
    const wanted = tasks.filter(({ DesiredState }) => DesiredState === 'running')
    const running = wanted.filter(({ Status }) => Status.State === 'running')
    const { DesiredTasks: desired = wanted.length, RunningTasks: up = running.length } =
      service.ServiceStatus ?? {}
    const lacking = nodesOf(service, seen.nodes).filter(
      ({ ID }) => !running.some(({ NodeID }) => NodeID === ID),
    )
    const update = movingUpdate(service)
    const enough = desired > 0 || service.Spec.Mode.Replicated?.Replicas === 0
    const waiting = wanted.filter(({ Status }) => Status.State !== 'running')
    const nodes =
      lacking.length > 0
        ? lacking
        : seen.nodes.filter(({ ID }) => waiting.some(({ NodeID }) => NodeID === ID))
    const unplaced = newestFirst(tasks).find((task) => !task.NodeID && task.Status.Err)?.Status.Err
    const total = Math.max(desired, running.length + lacking.length)
    const notes = [
      unplaced,
      update && `update ${update.State}${update.Message ? `: ${update.Message}` : ''}`,
      total === 0 ? 'no node fits its constraints, or no task has been made yet' : undefined,
    ]
    return {
      name: service.Spec.Name.replace(`${stack}_`, ''),
      running: running.length,
      desired: total,
      lacking: nodes.map((node) => ({
        node: node.Description.Hostname ?? node.ID,
        task: newest(tasks, node.ID),
      })),
      notes: notes.filter((note) => note !== undefined),
      settled: !update && lacking.length === 0 && up >= desired && enough,
    }
  })
}

/** The update of a service unless it is over. */
function movingUpdate({ UpdateStatus }: Service): Service['UpdateStatus'] {
  const states = ['updating', 'paused', 'rollback_started', 'rollback_paused']
  return UpdateStatus && states.includes(UpdateStatus.State) ? UpdateStatus : undefined
}

/** The nodes that a global service has to run on, as far as its constraints ask for labels only. */
function nodesOf(service: Service, nodes: readonly SwarmNode[]): SwarmNode[] {
  if (!service.Spec.Mode.Global) return []
  const constraints = (service.Spec.TaskTemplate.Placement?.Constraints ?? []).map((text) =>
    /^node\.labels\.(\S+?)\s*==\s*(\S+)$/.exec(text.trim()),
  )
  return nodes.filter(
    ({ Spec, Status }) =>
      Status.State === 'ready' &&
      Spec.Availability === 'active' &&
      constraints.every((match) => match !== null && Spec.Labels?.[match[1] ?? ''] === match[2]),
  )
}

function newest(tasks: readonly Task[], node: string): string {
  const own = newestFirst(tasks.filter(({ NodeID }) => NodeID === node))
  const task = own[0]
  if (!task) return 'no task'
  if (task.Status.Err) return `${task.Status.State}: ${JSON.stringify(task.Status.Err)}`
  const failed = own.find(({ Status }) => Status.Err)
  return failed
    ? `${task.Status.State}, before ${failed.Status.State}: ${JSON.stringify(failed.Status.Err)}`
    : task.Status.State
}

function newestFirst(tasks: readonly Task[]): Task[] {
  return tasks.toSorted((a, b) => (a.CreatedAt < b.CreatedAt ? 1 : -1))
}
