import type { Host } from '../inventory/types.ts'
import { DRAINED, type SwarmNode } from '../modules/swarm-nodes.ts'
import { forceNewCluster } from '../modules/swarm-trouble.ts'
import { describeService } from '../stack/convergence.ts'
import { isMember, stackLabels } from '../stack/model.ts'
import { isTold, managerOf, nodeOf, told } from './answers.ts'
import { isExpired } from './problems-certificates.ts'
import { problem, type Findings } from './problem.ts'
import type { Told } from './told.ts'
import type { Problem } from './types.ts'

/** No manager tells anything of the swarm. */
export function swarmProblems(findings: Findings): Problem[] {
  const { answers, commands } = findings
  const managers = told(answers).filter(([host, { daemon }]) => host.in('managers') && daemon === 'answers')
  const [first] = managers
  if (answers.swarm || !first) return []
  const hosts = managers.map(([host]) => host.name)
  if (managers.every(([, { membership }]) => membership?.LocalNodeState === 'inactive'))
    return [problem(hosts, 'no manager is in a swarm', [commands.apply('swarm')])]
  const [host, { swarm }] = first
  const reason = swarm && 'error' in swarm ? swarm.error : ''
  const all = answers.cluster.group('managers')
  const lost = all.filter((one) => answers.asked.has(one) && !hosts.includes(one.name))
  const majority = Math.floor(all.length / 2) + 1
  // In the first seconds without a majority the others wait for it, and say nothing.
  if (/leader|quorum/.test(reason) || all.length - lost.length < majority)
    return [leaderless(findings, host, lost, majority)]
  return [problem(hosts, `the swarm: ${reason}`, [commands.exec([host.name], 'docker node ls')])]
}

/** What brings the others back; only where there are none, what makes do without them. */
function leaderless(
  { answers, commands }: Findings,
  host: Host,
  lost: readonly Host[],
  majority: number,
): Problem {
  const all = answers.cluster.group('managers').map(({ name }) => name)
  const what = 'the swarm has no leader: too few of its managers reach each other'
  const need = `Bring back ${majority} of ${all.join(', ')}`
  const off = lost.filter((one) => isTold(answers.asked.get(one))).map(({ name }) => name)
  if (off.length > 0) return problem(all, what, [commands.apply('docker', off)], `${need}:`)
  if (lost.length === 0) return problem(all, what, [commands.exec(all, 'docker node ls')], `${need}:`)
  const last = `${need}. Only if the others are lost for good:`
  return problem(all, what, [commands.exec([host.name], forceNewCluster(host.address))], last)
}

/** Hosts that are not the members of the swarm that they are to be, and members that are no hosts. */
export function membershipProblems(findings: Findings): Problem[] {
  const { answers } = findings
  if (!answers.swarm) return []
  const members = told(answers).filter(([host]) => isMember(host))
  return [...members.flatMap(([host, one]) => memberProblem(findings, host, one)), ...strangers(findings)]
}

function memberProblem(findings: Findings, host: Host, one: Told): Problem[] {
  const { answers, commands } = findings
  const { name } = host
  const node = nodeOf(answers, host)
  // What is wrong with those is told as such.
  if (one.daemon !== 'answers' || isExpired(one)) return []
  const { LocalNodeState: state = 'inactive', NodeID: id, NodeAddr: address = '' } = one.membership ?? {}
  const found = (what: string, ...next: string[]): Problem[] => [problem([name], what, next)]
  const log = commands.exec([name], 'journalctl -u docker -n 30 --no-pager')
  if (state !== 'active' && state !== 'inactive') return stateProblem(findings, name, one, log)
  if (node && address !== '' && address !== host.address)
    return found(
      `${name} has the address ${address} in the swarm, and ${host.address} in the inventory`,
      commands.reset(name),
      commands.apply('site'),
    )
  if (node) return entryProblem(findings, host, node, log)
  if (!id) return found(`${name} is not in the swarm`, commands.apply('swarm'))
  const leave = commands.exec([name], 'docker swarm leave --force')
  return found(`${name} is in another swarm`, leave, commands.apply('swarm'))
}

/** A member that is none at the moment, by its own account. */
function stateProblem({ commands }: Findings, name: string, { membership }: Told, log: string): Problem[] {
  const { LocalNodeState: state, Error: error = '', NodeID: id } = membership ?? {}
  const found = (what: string, command: string): Problem[] => [problem([name], what, [command])]
  if (state === 'locked')
    return found(
      `the swarm of ${name} is locked`,
      commands.exec([name], `sh -c 'echo KEY | docker swarm unlock'`),
    )
  if (state === 'pending' && !id)
    return found(`${name} is joining a swarm, and reaches none of its managers`, commands.apply('swarm'))
  const what = `the membership of ${name} in the swarm is in state ${state}`
  return found(error ? `${what}: ${error}` : what, log)
}

/** What the managers say of a member that is well by its own account. */
function entryProblem(
  { answers, status, commands }: Findings,
  host: Host,
  node: SwarmNode,
  log: string,
): Problem[] {
  const { name } = host
  const found = (what: string, command: string): Problem[] => [problem([name], what, [command])]
  const role = host.in('managers') ? 'manager' : 'worker'
  const onManager = (command: string): string => commands.exec([managerOf(answers)], command)
  if (node.Status.State !== 'ready')
    return found(`the managers say that ${name} is ${node.Status.State}, though its Docker answers`, log)
  if (node.ManagerStatus && node.ManagerStatus.Reachability !== 'reachable')
    return found(`the other managers do not reach ${name}`, log)
  if (node.Spec.Availability !== 'active' && DRAINED in (node.Spec.Labels ?? {}))
    // By an upgrade or a removal that was interrupted, which took labels as well.
    return found(`${name} has been taken out of service: it gets no tasks`, commands.apply('site'))
  if (node.Spec.Availability !== 'active')
    return found(
      `${name} is set to ${node.Spec.Availability}: it gets no tasks`,
      onManager(`docker node update --availability active ${name}`),
    )
  if (node.Spec.Role !== role)
    return found(
      `${name} is a ${node.Spec.Role} of the swarm, and a ${role} in the inventory`,
      onManager(`docker node ${role === 'manager' ? 'promote' : 'demote'} ${name}`),
    )
  const labels = Object.entries(stackLabels(answers.cluster)[name] ?? {})
  const lacking = labels.filter(([label, value]) => node.Spec.Labels?.[label] !== value)
  if (lacking.length > 0 && (status.services ?? []).length > 0)
    return found(
      `${name} lacks ${lacking.map((pair) => pair.join('=')).join(', ')} in the swarm, and so what runs where that is`,
      commands.apply('site'),
    )
  return []
}

/** Entries of the swarm that belong to no host: what a machine that was set up anew left behind. */
function strangers({ answers, commands }: Findings): Problem[] {
  const own = new Set(answers.cluster.hosts.map((host) => nodeOf(answers, host)?.ID))
  return (answers.swarm?.nodes ?? [])
    .filter(({ ID }) => !own.has(ID))
    .map(({ ID, Description, Spec, Status }) => {
      const remove = `docker node rm --force ${ID}`
      const command = Spec.Role === 'manager' ? `sh -c 'docker node demote ${ID} && ${remove}'` : remove
      const what = `the swarm has an entry ${Description.Hostname ?? ''} (${ID}, ${Status.State}) that is none of its machines`
      return problem([], what, [commands.exec([managerOf(answers)], command)])
    })
}

export function serviceProblems({ status, commands }: Findings): Problem[] {
  const services = status.services ?? []
  if (status.services && services.length === 0)
    return [problem([], `the stack ${status.stack} is not deployed`, [commands.apply('stack')])]
  return services
    .filter(({ settled }) => !settled)
    .map((service) => {
      const hosts = service.lacking.map(({ node }) => node)
      return problem(hosts, describeService(service), [commands.apply('stack')])
    })
}
