import { InputError, TaskError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource, type Seen } from '../playbook/resource.ts'
import { dockerGet, parseJson } from './docker.ts'

/** What is used of a node in the answer to `GET /nodes`. */
export interface SwarmNode {
  ID: string
  Spec: { Labels?: Record<string, string> | null; Role: 'manager' | 'worker'; Availability: string }
  Description: { Hostname?: string }
  Status: { State: string }
  ManagerStatus?: { Leader?: boolean; Reachability: string }
}

interface Members {
  /**
   * Node ids by hostname, where the hosts themselves have told them (fact `node`): they tell a machine that was
   * set up anew from its ghost of the same name.
   */
  ids?: Readonly<Record<string, string>>
}

export interface NodeLabelsOptions extends Members, Common {
  /** Labels by hostname; names begin with `bramble.`. Nodes that are not named here are left alone. */
  labels: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const prefix = 'bramble.'
/** What the managers know of all nodes; one text, so that it is asked once. */
export const nodesProbe = dockerGet('/nodes')

/**
 * Labels of the swarm's nodes, to be run on one manager. Labels that begin with `bramble.` and are not wanted any
 * more are removed, others are not touched.
 *
 * Errors (TaskError): two live nodes with one hostname; a node that does not appear within a minute.
 *
 * @see https://docs.docker.com/reference/cli/docker/node/update/
 * @example nodeLabels({ labels: { rpi1: { 'bramble.webserver': 'true' } } })
 */
export function nodeLabels({ labels, ids = {}, ...common }: NodeLabelsOptions): Resource {
  return resource(
    {
      title: 'node labels',
      probe: nodesProbe,
      plan(seen) {
        const nodes = readNodes(seen)
        const changes = Object.entries(labels).flatMap(([hostname, wanted]) => {
          const node = findNode(nodes, hostname, ids[hostname])
          const { diff, options } = compare(hostname, node?.Spec.Labels ?? {}, wanted)
          if (diff.length === 0) return []
          return [
            {
              diff,
              apply: sh`${awaitNode(node, hostname)}\ndocker node update ${options} ${node?.ID ?? hostname} >/dev/null`,
            },
          ]
        })
        if (changes.length === 0) return undefined
        return {
          diff: changes.flatMap(({ diff }) => diff).join('\n'),
          apply: lines(...changes.map(({ apply }) => apply)),
        }
      },
    },
    common,
  )
}

export interface NodeRolesOptions extends Members, Common {
  /** Roles by hostname. Nodes that are not named here are left alone. */
  roles: Readonly<Record<string, 'manager' | 'worker'>>
}

/**
 * Who manages the swarm and who works only, to be run on one manager. Promotes before it demotes, and waits until
 * those promoted can be reached, so that the swarm keeps its majority.
 *
 * Errors (TaskError): no manager would be left; two live nodes with one hostname; a node that does not appear.
 *
 * @see https://docs.docker.com/engine/swarm/manage-nodes/#promote-or-demote-a-node
 * @example nodeRoles({ roles: { rpi1: 'manager', rpi4: 'worker' } })
 */
export function nodeRoles({ roles, ids = {}, ...common }: NodeRolesOptions): Resource {
  if (!Object.values(roles).includes('manager'))
    throw new InputError('node roles: no host is a manager', {
      next: 'name at least one host in group managers',
    })
  return resource(
    {
      title: 'node roles',
      probe: nodesProbe,
      settle: 60,
      plan(seen) {
        const nodes = readNodes(seen)
        const members = Object.entries(roles).map(([hostname, role]) => ({
          hostname,
          role,
          node: findNode(nodes, hostname, ids[hostname]),
        }))
        const diff: string[] = []
        const promote: Sh[] = []
        const demote: Sh[] = []
        for (const { hostname, role, node } of members) {
          const found = node?.Spec.Role ?? 'not in the swarm'
          if (found !== role) diff.push(`- ${hostname}: ${found}\n+ ${hostname}: ${role}`)
          else if (
            role === 'manager' &&
            node?.Status.State === 'ready' &&
            node.ManagerStatus?.Reachability !== 'reachable'
          )
            diff.push(`- ${hostname}: manager, not reachable yet\n+ ${hostname}: manager`)
          else continue
          const id = node?.ID ?? hostname
          if (!node) promote.push(awaitNode(node, hostname))
          if (role === 'manager') promote.push(sh`docker node promote ${id}`, awaitReachable(id, hostname))
          else demote.push(sh`docker node demote ${id}`)
        }
        return diff.length === 0 ? undefined : { diff: diff.join('\n'), apply: lines(...promote, ...demote) }
      },
    },
    common,
  )
}

/** The answer to `GET /nodes`; none when this host is no manager, which is what a fresh one looks like. */
export function readNodes(seen: Seen): SwarmNode[] {
  const answer = parseJson(seen.stdout)
  return Array.isArray(answer) ? answer : []
}

/** A node by its name, or its id if that is known. Errors (TaskError): several live nodes of that name. */
export function findNode(
  nodes: readonly SwarmNode[],
  hostname: string,
  id: string | undefined,
): SwarmNode | undefined {
  if (id !== undefined) return nodes.find((node) => node.ID === id)
  const named = nodes.filter((node) => node.Description.Hostname === hostname)
  const live = named.filter((node) => node.Status.State !== 'down')
  if (live.length > 1)
    throw new TaskError(`${live.length} nodes of the swarm are called ${hostname}`, {
      expected: 'a hostname of its own for every machine',
      found: live.map(({ ID }) => ID).join(', '),
      next: 'give the machines different hostnames, or remove the node that is none of yours: docker node rm --force ID',
    })
  return live[0] ?? named[0]
}

function compare(
  hostname: string,
  found: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
) {
  const diff: string[] = []
  const options: string[] = []
  for (const [name, value] of Object.entries(wanted)) {
    if (found[name] === value) continue
    if (found[name] !== undefined) diff.push(`- ${hostname}: ${name}=${found[name]}`)
    diff.push(`+ ${hostname}: ${name}=${value}`)
    options.push('--label-add', `${name}=${value}`)
  }
  for (const [name, value] of Object.entries(found)) {
    if (!name.startsWith(prefix) || name in wanted) continue
    diff.push(`- ${hostname}: ${name}=${value}`)
    options.push('--label-rm', name)
  }
  return { diff, options }
}

/** A node that has just joined tells its hostname a moment later. */
function awaitNode(node: SwarmNode | undefined, hostname: string): Sh {
  if (node) return sh`:`
  const message = `${hostname} is not among the nodes of the swarm; see \`docker info\` on it and \`docker node ls\` here`
  return until(sh`docker node inspect ${hostname} >/dev/null 2>&1`, message)
}

function awaitReachable(id: string, hostname: string): Sh {
  const format = '{{if .ManagerStatus}}{{.ManagerStatus.Reachability}}{{end}}'
  return until(
    sh`[ "$(docker node inspect -f ${format} ${id})" = reachable ]`,
    `${hostname} was promoted and is still not reachable as a manager`,
  )
}

function until(condition: Sh, message: string): Sh {
  return sh`tries=0
until ${condition}; do
  tries=$((tries + 1))
  if [ "$tries" -gt 30 ]; then echo ${message} >&2; exit 1; fi
  sleep 2
done`
}
