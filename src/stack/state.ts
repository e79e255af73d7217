import { dockerAsk, dockerGet, parseJson } from '../modules/docker.ts'
import type { SwarmNode } from '../modules/swarm-nodes.ts'
import type { Sh } from '../playbook/sh.ts'
import type { Seen } from '../playbook/resource.ts'

/** What is used of a service in the answer to `GET /services?status=true`. */
export interface Service {
  ID: string
  Spec: {
    Name: string
    TaskTemplate: { ForceUpdate?: number; Placement?: { Constraints?: string[] } }
    Mode: { Global?: object; Replicated?: { Replicas: number } }
  }
  UpdateStatus?: { State: string; Message?: string }
  ServiceStatus?: { RunningTasks: number; DesiredTasks: number }
}

/** What is used of a task in the answer to `GET /tasks`. */
export interface Task {
  CreatedAt: string
  ServiceID: string
  NodeID?: string
  DesiredState: string
  Status: { State: string; Err?: string }
}

/** A version of a stack: hashes of its files, and its services as they were right after its deploy. */
export interface Version {
  files: Record<string, string>
  services: Service[]
}

/** What the last deploy left. */
export interface Deployed extends Version {
  /** What was there before, as long as this version has not been seen to run; without services there was nothing. */
  former?: Version
}

/** How the swarm runs a stack. */
export interface SwarmSeen {
  services: Service[]
  tasks: Task[]
  nodes: SwarmNode[]
}

export interface StackSeen extends SwarmSeen {
  deployed: Deployed | undefined
  configs: Named[]
  secrets: Named[]
}

/** What is used of a config or a secret. */
interface Named {
  Spec: { Name: string }
}

/** How the swarm runs the stack: three lines of JSON from one process. Each answer may take `seconds`. */
export function swarmProbe(name: string, seconds: number): Sh {
  return dockerAsk({ paths: swarmPaths(name), seconds })
}

/** The record of the last deploy, then what the swarm says of the stack: six lines of JSON from two processes. */
export function stackProbe(name: string, directory: string): Sh {
  const owned = ['configs', 'secrets'].map((kind) => `/${kind}?filters=${stackFilter(name)}`)
  return dockerAsk({ file: `${directory}/.deployed.json`, paths: [...swarmPaths(name), ...owned] })
}

export function stackServices(name: string): Sh {
  return dockerGet(servicesPath(name))
}

/** What `swarmProbe` printed; undefined when this host manages no swarm. */
export function readSwarm(seen: Seen): SwarmSeen | undefined {
  return swarmOf(jsonLines(seen))
}

/** What `stackProbe` printed; undefined when this host manages no swarm (yet). */
export function readStack(seen: Seen): StackSeen | undefined {
  const [deployed, services, tasks, nodes, configs, secrets = []] = jsonLines(seen)
  const swarm = swarmOf([services, tasks, nodes])
  if (!swarm || !Array.isArray(configs) || !Array.isArray(secrets)) return undefined
  return { deployed: isDeployed(deployed) ? deployed : undefined, ...swarm, configs, secrets }
}

function swarmOf([services, tasks, nodes]: readonly unknown[]): SwarmSeen | undefined {
  if (!Array.isArray(services) || !Array.isArray(tasks) || !Array.isArray(nodes)) return undefined
  return { services, tasks, nodes }
}

function jsonLines({ stdout }: Seen): unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(parseJson)
}

/** A service's specification without the counter that `docker service update --force` raises. */
export function specOf({ Spec }: Service): unknown {
  const { ForceUpdate: _, ...template } = Spec.TaskTemplate
  return { ...Spec, TaskTemplate: template }
}

function swarmPaths(name: string): string[] {
  return [servicesPath(name), `/tasks?filters=${stackFilter(name)}`, '/nodes']
}

function servicesPath(name: string): string {
  return `/services?status=true&filters=${stackFilter(name)}`
}

/** For the API of the daemon: what belongs to a stack. */
export function stackFilter(name: string): string {
  return encodeURIComponent(JSON.stringify({ label: [`com.docker.stack.namespace=${name}`] }))
}

function isDeployed(value: unknown): value is Deployed {
  return (
    typeof value === 'object' &&
    value !== null &&
    'files' in value &&
    'services' in value &&
    Array.isArray(value.services)
  )
}
