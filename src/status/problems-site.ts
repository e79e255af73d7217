import { isTold, managerOf, told } from './answers.ts'
import { problem, type Findings } from './problem.ts'
import type { BalancerStatus, Problem } from './types.ts'

/** One load balancer is to hold the virtual address. */
export function vipProblems({ answers, status, commands }: Findings): Problem[] {
  const { address, holders } = status.vip
  const balancers = answers.cluster.group('loadbalancers')
  const log = commands.exec([managerOf(answers)], `docker service logs --tail 20 ${status.stack}_keepalived`)
  const stranger = holders.find((name) => !balancers.some((host) => host.name === name))
  if (stranger !== undefined)
    return [
      problem(
        holders,
        `the virtual IP ${address} is on ${stranger}, which is no load balancer`,
        [commands.exec([stranger], `ip address show to ${address}`)],
        'Take it away there, or choose another vip.address.',
      ),
    ]
  if (holders.length > 1) {
    const last = balancers.findLast(({ name }) => holders.includes(name))
    const found = told(answers).find(([host]) => host === last)
    const device = found?.[1].machine.vip
    return [
      problem(
        holders,
        `the virtual IP ${address} is on ${holders.join(' and ')} at the same time`,
        [commands.exec([last?.name ?? ''], `ip address del ${address}/32 dev ${device ?? 'eth0'}`), log],
        'Take it from one. If it comes back, they do not hear each other (IP protocol 112):',
      ),
    ]
  }
  const asked = balancers.map((host) => answers.asked.get(host))
  // Somebody who was not asked may hold it, and of those who do not answer that is told.
  if (holders.length === 1 || asked.includes(undefined) || !asked.some(isTold)) return []
  const all = asked.every(isTold)
  const what = all
    ? `nobody holds the virtual IP ${address}: the site cannot be reached there`
    : `no host that answers holds the virtual IP ${address}`
  return [problem(names(balancers), what, [log], 'What Keepalived says:')]
}

/** A load balancer without a single web server. */
export function unserved({ answers, status, commands }: Findings): Problem[] {
  const { port } = answers.cluster.settings.nginx
  const hosts = names(status.balancers.filter(({ servers }) => servers.length > 0 && !isServing({ servers })))
  if (hosts.length === 0) return []
  const what = `HAProxy on ${hosts.join(', ')} has no web server left: it answers 503`
  return [problem(hosts, what, [commands.exec(['webservers'], `curl -sS http://127.0.0.1:${port}/healthz`)])]
}

/** HAProxy that does not answer, and web servers that it does not use. */
export function balancerProblems(findings: Findings): Problem[] {
  const { answers, status, commands } = findings
  const silent = status.balancers
    .filter(({ name, error }) => error !== null && isToServe(findings, name))
    .map(({ name, error }) =>
      problem(
        [name],
        `HAProxy on ${name} tells nothing: ${error}`,
        /statistics/.test(error ?? '')
          ? [commands.apply('stack')]
          : [commands.exec([name], 'docker ps --all --filter name=haproxy')],
      ),
    )
  const serving = status.balancers.filter(isServing)
  const servers = names([...answers.cluster.group('webservers'), ...serving.flatMap((one) => one.servers)])
  return [...silent, ...[...new Set(servers)].flatMap((name) => serverProblem(findings, serving, name))]
}

function serverProblem(findings: Findings, serving: readonly BalancerStatus[], name: string): Problem[] {
  const { answers, commands } = findings
  const { port } = answers.cluster.settings.nginx
  if (!answers.cluster.group('webservers').some((host) => host.name === name)) {
    const those = names(serving.filter(({ servers }) => servers.some((server) => server.name === name)))
    const what = `HAProxy on ${those.join(', ')} has a server ${name} that is no web server of the inventory`
    return [problem(those, what, [commands.apply('stack')])]
  }
  const lacking = names(serving.filter(({ servers }) => !servers.some((server) => server.name === name)))
  if (lacking.length > 0) {
    const what = `HAProxy on ${lacking.join(', ')} does not know the web server ${name}`
    return [problem(lacking, what, [commands.apply('stack')])]
  }
  const down = serving.flatMap((one) =>
    one.servers
      .filter((server) => server.name === name && !server.up)
      .map((server) => ({ ...server, balancer: one.name })),
  )
  const [first] = down
  if (!first || !isToServe(findings, name)) return []
  const those = down.map(({ balancer }) => balancer).join(', ')
  return [
    problem([name], `${name} is ${first.status} for HAProxy on ${those}: ${first.check}`, [
      commands.exec([name], `curl -sS http://127.0.0.1:${port}/healthz`),
    ]),
  ]
}

function isServing({ servers }: Pick<BalancerStatus, 'servers'>): boolean {
  return servers.some(({ up }) => up)
}

/** Of a host that cannot be reached, that gets no tasks or whose Docker is off, that alone is told. */
function isToServe({ answers, status }: Findings, name: string): boolean {
  const host = answers.cluster.hosts.find((one) => one.name === name)
  const one = host && answers.asked.get(host)
  if (one && (!isTold(one) || one.daemon !== 'answers')) return false
  return !status.nodes.some((node) => node.name === name && node.availability === 'drain')
}

function names(those: readonly { name: string }[]): string[] {
  return those.map(({ name }) => name)
}
