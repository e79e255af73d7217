import { TaskError } from '../errors.ts'
import { quote, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Change, type Common, type Resource, type Seen } from '../playbook/resource.ts'
import { dockerGet, parseJson } from './docker.ts'
import { forceNewCluster } from './swarm-trouble.ts'

/** What is used of a node in the answer to `GET /nodes`. */
export interface SwarmNode {
  ID: string
  Spec: { Labels?: Record<string, string> | null; Role: 'manager' | 'worker'; Availability: string }
  Description: { Hostname?: string; Engine?: { EngineVersion?: string } }
  Status: { State: string }
  ManagerStatus?: { Leader?: boolean; Reachability: string }
}

/** Label of a node that is to be made active again. */
export const DRAINED = 'bramble.drained'

export interface SwarmMembers {
  /**
   * Node ids by hostname, where the hosts themselves have told them (fact `node`): they tell a machine that was
   * set up anew from its ghost of the same name.
   */
  ids?: Readonly<Record<string, string>>
}

/** What the managers know of all nodes; one text, so that it is asked once. */
export const nodesProbe = dockerGet('/nodes')

/** A state of the swarm that may pass: a choice of a leader takes seconds, and so does to notice that a node is gone. */
class Passing extends TaskError {}

/** A resource that rests on what the managers know. What may pass is given the time; then it is an error. */
export function aboutSwarm(parts: Parameters<typeof resource>[0], common: Common): Resource {
  const plan = (seen: Seen): Change | undefined => {
    try {
      hasLeader(seen)
      return parts.plan(seen)
    } catch (failure) {
      if (!(failure instanceof Passing)) throw failure
      const { expected = '', found = '' } = failure.details
      return { diff: `- ${found}\n+ ${expected}`, apply: sh`:`, waits: true, failure }
    }
  }
  return resource({ ...parts, settle: Math.max(parts.settle ?? 0, 30), plan }, common)
}

/** The daemon knows it, and the VIP may be a second one. */
const own = '$(docker info --format {{.Swarm.NodeAddr}})'

/** Docker says that there is none in one of two ways, or waits for one and says nothing. */
function hasLeader({ code, stdout }: Seen): void {
  const message = /"message":"([^"]*(?:does not have a leader|deadline exceeded)[^"]*)"/.exec(stdout)?.[1]
  if (message === undefined && code !== 28) return
  throw new Passing('the swarm has no leader: too few of its managers reach each other', {
    expected: 'more than half of the managers, which choose one of them',
    found: message ?? 'no answer within 20 s',
    next: `bring the other managers back; if only Docker does not run there: bramble apply playbooks/docker.ts
only if they are lost for good, make this one the only manager: bramble exec HOST -- sh -c ${quote(forceNewCluster(own))}
then bramble apply`,
  })
}

/** The answer to `GET /nodes`; none when this host is no manager, which is what a fresh one looks like. */
export function readNodes(seen: Seen): SwarmNode[] {
  const answer = parseJson(seen.stdout)
  return Array.isArray(answer) ? answer : []
}

/**
 * The same for what would be wrong to do without knowing them. Errors (TaskError): this host does not know the nodes;
 * or it manages no swarm, unless it need not.
 */
export function toldNodes(seen: Seen, needNot = false): SwarmNode[] {
  const answer: unknown = parseJson(seen.stdout.split('\n')[0] ?? '')
  if (Array.isArray(answer)) return answer as SwarmNode[]
  const message =
    typeof answer === 'object' && answer !== null && 'message' in answer ? String(answer.message) : undefined
  if (needNot && message?.includes('not a swarm manager')) return []
  throw new TaskError('this host does not know the nodes of the swarm', {
    expected: 'a manager of the swarm, whose Docker answers',
    found: message ?? `no answer of Docker (exit code ${seen.code})`,
    next: 'bramble status shows what is wrong, and bramble apply mends what it can; then run this again',
  })
}

/** A node by its name, or its id if that is known. Errors (Passing): several live nodes of that name. */
export function findNode(
  nodes: readonly SwarmNode[],
  hostname: string,
  id: string | undefined,
): SwarmNode | undefined {
  if (id !== undefined) return nodes.find((node) => node.ID === id)
  const named = nodes.filter((node) => node.Description.Hostname === hostname)
  const live = named.filter((node) => node.Status.State !== 'down')
  if (live.length > 1) {
    throw severalAlive(
      hostname,
      live.map(({ ID }) => ID),
    )
  }
  return live[0] ?? named[0]
}

export function severalAlive(hostname: string, ids: readonly string[]): TaskError {
  return new Passing(`${ids.length} nodes of the swarm are called ${hostname}`, {
    expected: 'a hostname of its own for every machine',
    found: ids.join(', '),
    next: `give the machines different hostnames, or remove the node that is none of yours:
bramble exec HOST -- docker node rm --force ID`,
  })
}

/** A node that has just joined tells its hostname a moment later. */
export function awaitNode(node: SwarmNode | undefined, hostname: string): Sh {
  if (node) return sh`:`
  const message = `${hostname} is not among the nodes of the swarm; see \`docker info\` on it and \`docker node ls\` here`
  return until(sh`docker node inspect ${hostname} >/dev/null 2>&1`, message)
}

export function until(condition: Sh, message: string): Sh {
  return sh`tries=0
until ${condition}; do
  tries=$((tries + 1))
  if [ "$tries" -gt 30 ]; then echo ${message} >&2; exit 1; fi
  sleep 2
done`
}
