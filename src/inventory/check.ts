import { BlockList } from 'node:net'
import { InputError } from '../errors.ts'
import type { Settings } from './schema.ts'
import type { Tree } from './tree.ts'
import type { Host } from './types.ts'
import { origin } from './variables.ts'
import type { Layer } from './variables.ts'
import type { Path } from './yaml.ts'

interface Written {
  settings: Settings
  hosts: readonly Host[]
  groups: ReadonlyMap<string, readonly Host[]>
  /** Where the cluster's settings stand. */
  clusterLayers: readonly Layer[]
  /** Where the variables of each host stand. */
  hostLayers: ReadonlyMap<string, readonly Layer[]>
  tree: Tree
  file: string
}

/** @throws InputError for values that are each right but cannot be right together */
export function checkCluster(written: Written): void {
  checkAddresses(written)
  checkGroups(written)
  checkPorts(written)
}

function checkAddresses({ settings, hosts, clusterLayers, hostLayers, file }: Written): void {
  const holders = new Map<string, Host>()
  for (const host of hosts) {
    const layers = hostLayers.get(host.name) ?? []
    const at = origin(layers, ['address']) ?? origin(layers, ['ansible_host']) ?? file
    const other = holders.get(host.address)
    if (other) {
      throw new InputError(`${other.name} and ${host.name} have the same address`, {
        at,
        found: host.address,
      })
    }
    holders.set(host.address, host)
    if (host.address === settings.vip.address) {
      throw new InputError(`the virtual address is the address of ${host.name}`, {
        at: origin(clusterLayers, ['vip', 'address']) ?? at,
        expected: 'an address that no host has',
        found: host.address,
        next: 'set vip.address in group_vars/all.yml to a free address',
      })
    }
  }
  for (const network of settings.swarm.address_pool) {
    const clash = [settings.vip.address, ...holders.keys()].find((address) => contains(network, address))
    if (clash === undefined) continue
    throw new InputError(`swarm.address_pool ${network} overlaps with your network`, {
      at: origin(clusterLayers, ['swarm', 'address_pool']) ?? file,
      expected: 'a network that no host is in',
      found: `${clash} is in it`,
    })
  }
}

function contains(network: string, address: string): boolean {
  const [base = '', prefix = ''] = network.split('/')
  const list = new BlockList()
  list.addSubnet(base, Number(prefix))
  return list.check(address)
}

function checkGroups({ groups, tree, file }: Written): void {
  const servers = groups.get('nfs_server') ?? []
  if (servers.length > 1) {
    throw new InputError('nfs_server has more than one host', {
      at: memberAt(tree, 'nfs_server', servers[1]) ?? file,
      expected: 'one host, which keeps the content',
      found: namesOf(servers),
    })
  }
  const both = (groups.get('managers') ?? []).filter((host) => host.in('workers'))
  if (both.length > 0) {
    throw new InputError(`${namesOf(both)} cannot be both manager and worker`, {
      at: memberAt(tree, 'workers', both[0]) ?? file,
      next: 'leave it in one of the groups; a manager runs containers too',
    })
  }
}

/** Where a group names a host itself, not through a child group. */
function memberAt(tree: Tree, group: string, host?: Host): string | undefined {
  return tree.groups.get(group)?.members.find(({ name }) => name === host?.name)?.at
}

/** All of these listen on the host's own network, on machines that may be load balancer and web server at once. */
function checkPorts({ settings, hosts, clusterLayers, file }: Written): void {
  const { haproxy, nginx, swarm } = settings
  const ssh = hosts.map((host): [number, string] => [host.connection.port ?? 22, 'SSH'])
  const taken = new Map<number, string>([...ssh, [2049, 'NFS'], [2377, 'the swarm'], [7946, 'the swarm']])
  const wanted: [number, Path][] = [
    [haproxy.port, ['haproxy', 'port']],
    [haproxy.stats_port, ['haproxy', 'stats_port']],
    [haproxy.health_port, ['haproxy', 'health_port']],
    [nginx.port, ['nginx', 'port']],
    [swarm.data_path_port, ['swarm', 'data_path_port']],
  ]
  for (const [port, path] of wanted) {
    const other = taken.get(port)
    const name = path.join('.')
    if (other !== undefined) {
      throw new InputError(`${name} and ${other} have the same port`, {
        at: origin(clusterLayers, path) ?? origin(clusterLayers, other.split('.')) ?? file,
        found: String(port),
        next: `give ${name} another port`,
      })
    }
    taken.set(port, name)
  }
}

/** What works but is likely not meant. */
export function warningsOf(groups: ReadonlyMap<string, readonly Host[]>): string[] {
  const group = (name: string): readonly Host[] => groups.get(name) ?? []
  const managers = group('managers').length
  const warnings: string[] = []
  if (managers > 0 && managers % 2 === 0) {
    const survived = Math.floor((managers - 1) / 2)
    warnings.push(
      `${managers} managers survive the loss of ${survived || 'none'}, as ${managers - 1} would: take an odd number`,
    )
  }
  if (managers === 0 && group('workers').length > 0)
    warnings.push('there are workers but no managers: no swarm can form')
  if (group('loadbalancers').length === 1)
    warnings.push('with one load balancer nothing takes over the virtual address')
  for (const server of group('nfs_server').filter((host) => host.in('loadbalancers'))) {
    warnings.push(`${server.name} is NFS server and load balancer: one failure takes both`)
  }
  const outside = [...new Set([...group('webservers'), ...group('loadbalancers')])].filter(
    (host) => !host.in('managers') && !host.in('workers'),
  )
  if (outside.length > 0) {
    warnings.push(`${namesOf(outside)}: neither manager nor worker, so no container will run there`)
  }
  for (const name of groups.keys()) {
    if (group('all').some((host) => host.name === name))
      warnings.push(`${name} is both a host and a group: patterns mean the group`)
  }
  return warnings
}

function namesOf(hosts: readonly Host[]): string {
  return hosts.map((host) => host.name).join(', ')
}
