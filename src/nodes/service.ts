import type { Cluster, Host } from '../inventory/index.ts'
import { dockerRunning } from '../modules/docker.ts'
import { nodeDrained, nodesActive } from '../modules/node-drained.ts'
import { nodeLabels } from '../modules/node-labels.ts'
import { nodesReady } from '../modules/nodes-ready.ts'
import { stackRunning } from '../modules/stack-running.ts'
import { balancerReady } from '../modules/vip.ts'
import { waitFor } from '../modules/wait-for.ts'
import { play, type Context, type Play } from '../playbook/play.ts'
import { sh } from '../playbook/sh.ts'
import { isMember, mirrorDirectory, stackLabels, VIP_LABEL } from '../stack/model.ts'
import { backendUp } from './backend-up.ts'
import { always, balancerOf, inUse, lessPreferred, others, released, vipAway, type When } from './vip.ts'

/**
 * Plays that take a node out of service, without a failed request: the virtual address goes to another load balancer,
 * then the swarm gives its tasks to others. Each ends the run if it fails, so that no second node is taken out.
 *
 * @example cluster.hosts.flatMap((host) => outOfService(host, cluster))
 */
export function outOfService(host: Host, cluster: Cluster, when: When = always): Play[] {
  return [
    ...(others(host, cluster).length > 0 ? vipAway(host, cluster, when) : []),
    onManager(`drain ${host.name}`, host, cluster, function* (_, { facts }) {
      if (when(facts)) yield nodeDrained({ node: host.name, withoutLabels: [VIP_LABEL] })
    }),
  ]
}

/**
 * Plays that take a node back into service, and wait until it does all that it is for. The virtual address returns
 * to a preferred load balancer as deliberately as it went. A node that somebody else took out of service stays so, and
 * nothing is waited for there.
 *
 * @example cluster.hosts.flatMap((host) => backInService(host, cluster))
 */
export function backInService(host: Host, cluster: Cluster): Play[] {
  const { stack, haproxy, nfs } = cluster.settings
  const running = stackRunning({
    name: stack.name,
    directory: stack.directory,
    timeout: stack.deploy_timeout,
  })
  const well = play({
    name: `${host.name} is well`,
    hosts: host.name,
    critical: true,
    *tasks() {
      yield dockerRunning()
      if (host.in('webservers') && cluster.group('nfs_server').length > 0) {
        // Where a mirror is kept, the file says that not the mirror is served.
        const served = `${mirrorDirectory(nfs)}/nfs`
        const answers = sh`mountpoint -q ${nfs.mount} && timeout 5 stat -t ${`${nfs.mount}/.`} &&
{ ! systemctl --quiet is-active bramble-content || [ -e ${served} ]; }`
        yield waitFor({ title: `the share at ${nfs.mount}`, command: answers, timeout: 120 })
      }
    },
  })
  // One that only keeps the share has no place in the swarm.
  if (!isMember(host)) return [well]
  const inService = onManager(`${host.name} in service`, host, cluster, function* () {
    yield nodesReady({ names: [host.name], timeout: 300 })
    yield nodesActive({ nodes: [host.name] })
    yield running
  })
  // Until all load balancers send requests to it, no other web server may go.
  const used = play({
    name: `requests for ${host.name}`,
    hosts: 'loadbalancers',
    critical: true,
    *tasks(_, { facts }) {
      if (host.in('webservers') && inUse(host, cluster, facts))
        yield backendUp({ server: host.name, healthPort: haproxy.health_port })
    },
  })
  if (!host.in('loadbalancers')) return [well, inService, used]
  const ready = balancerOf(cluster)
  const balancer = (name: string, task: Play['tasks']) =>
    play({ name, hosts: host.name, critical: true, tasks: task })
  return [
    well,
    inService,
    used,
    balancer(`HAProxy of ${host.name}`, function* (_, { facts }) {
      if (inUse(host, cluster, facts))
        yield waitFor({ url: `http://127.0.0.1:${haproxy.health_port}/readyz`, timeout: 120 })
    }),
    onManager(`Keepalived of ${host.name}`, host, cluster, function* () {
      yield nodeLabels({ labels: { [host.name]: stackLabels(cluster)[host.name] ?? {} } })
      yield running
    }),
    balancer(`${host.name} can hold the virtual IP`, function* (_, { facts }) {
      if (inUse(host, cluster, facts)) yield balancerReady({ ...ready, timeout: 120 })
    }),
    // A less preferred one gives it back at once, before Keepalived would take it after preempt_delay.
    ...lessPreferred(host, cluster).map((other) =>
      play({
        name: `virtual IP back to ${host.name}`,
        hosts: other.name,
        critical: true,
        *tasks(_, { facts }) {
          if (!inUse(host, cluster, facts) || !inUse(other, cluster, facts)) return
          yield released(other, cluster, facts)
          // Until it has started again, nobody would take the address over.
          yield balancerReady({ ...ready, timeout: 120 })
        },
      }),
    ),
  ]
}

/** A play on one manager of the swarm, and not the node that it is about unless that is the only one. */
export function onManager(
  name: string,
  about: Host,
  cluster: Cluster,
  tasks: (host: Host, context: Context) => Iterable<ReturnType<typeof nodesReady>>,
): Play {
  const managers = cluster.group('managers').filter((manager) => manager !== about)
  const hosts = managers.length > 0 ? managers.map((manager) => manager.name).join(':') : about.name
  return play({ name, hosts, runOnce: true, critical: true, tasks })
}
