import type { Cluster, Host } from '../inventory/index.ts'
import { balancerReady, vipLook, vipReleased } from '../modules/vip.ts'
import type { FactStore } from '../playbook/facts.ts'
import { play, type Play } from '../playbook/play.ts'
import type { Resource } from '../playbook/resource.ts'

/** Whether there is something to do on the node: asked when its turn comes, of what hosts told before. */
export type When = (facts: FactStore) => boolean

export const always: When = () => true

/** Plays that hand the virtual address over to another load balancer; only its holder has something to do. */
export function vipAway(host: Host, cluster: Cluster, when: When = always): Play[] {
  return [
    play({
      name: `who can take the virtual IP from ${host.name}`,
      hosts: others(host, cluster)
        .map(({ name }) => name)
        .join(':'),
      *tasks(_, { facts }) {
        if (when(facts)) yield balancerReady(balancerOf(cluster))
      },
    }),
    play({
      name: `virtual IP away from ${host.name}`,
      hosts: host.name,
      critical: true,
      *tasks(_, { facts }) {
        if (when(facts)) yield released(host, cluster, facts)
      },
    }),
  ]
}

/**
 * Plays that give the virtual address back to a preferred load balancer after a run has changed something: which one a
 * deploy leaves it with is chance, as the swarm replaces Keepalived in an order of its own. Keepalived would take it back
 * by itself after `vip.preempt_delay`, but from under requests. Where no preferred one is ready that is left to it.
 *
 * @example playbook({ name: 'site', plays: [...vipBack()] })
 */
export function vipBack(): Play[] {
  return [
    balancers('where the virtual IP is', function* (host, { cluster, facts, wrote }) {
      // Without tasks from the swarm, a Keepalived that ends would not be started again.
      if (wrote && preferred(host, cluster).length > 0 && isTold('active_nodes', host, cluster, facts))
        yield vipLook(cluster.settings.vip)
    }),
    balancers('who shall have the virtual IP', function* (host, { cluster, facts }) {
      if (lessPreferred(host, cluster).some(({ name }) => facts.find(name, 'holds_vip') === 'true'))
        yield balancerReady(balancerOf(cluster))
    }),
    balancers('virtual IP back', function* (host, { alive, cluster, facts }) {
      const ready = alive.filter(({ name }) => facts.find(name, 'balancer') === 'ready')
      if (facts.find(host.name, 'holds_vip') !== 'true') return
      if (!preferred(host, cluster).some((one) => ready.includes(one))) return
      yield completing(released(host, cluster, facts))
      // Until it has started again, nobody would take the address over.
      yield balancerReady({ ...balancerOf(cluster), timeout: 120 })
    }),
  ]
}

function balancers(name: string, tasks: Play['tasks']): Play {
  return play({ name, hosts: 'loadbalancers', tasks })
}

function completing(task: Resource): Resource {
  return {
    ...task,
    plan(seen) {
      const change = task.plan(seen)
      return change && { ...change, completes: true }
    },
  }
}

/** What `balancerReady()` is to be told. */
export function balancerOf({ settings }: Cluster) {
  return { stack: settings.stack.name, healthPort: settings.haproxy.health_port }
}

/** The address is not there any more, as far as another one is ready to take it. */
export function released(host: Host, cluster: Cluster, facts: FactStore) {
  const { vip, stack } = cluster.settings
  const told = others(host, cluster).map(
    ({ name }) => [name, facts.find(name, 'balancer') ?? 'not asked'] as const,
  )
  return vipReleased({
    address: vip.address,
    stack: stack.name,
    others: Object.fromEntries(told.map(([name, state]) => [name, String(state)])),
  })
}

/** Whether the swarm gives it tasks, as far as a manager has told. */
export function inUse(host: Host, cluster: Cluster, facts: FactStore): boolean {
  return !isTold('out_of_service', host, cluster, facts)
}

/** Whether a manager has named the host in a fact that is a list of names. */
function isTold(fact: string, { name }: Host, cluster: Cluster, facts: FactStore): boolean {
  return cluster.group('managers').some((manager) =>
    String(facts.find(manager.name, fact) ?? '')
      .split(' ')
      .includes(name),
  )
}

/** The other load balancers; none for a host that is none itself. */
export function others(host: Host, cluster: Cluster): Host[] {
  return host.in('loadbalancers') ? cluster.group('loadbalancers').filter((other) => other !== host) : []
}

/** Those that hold the address only where this one cannot. */
export function lessPreferred(host: Host, cluster: Cluster): Host[] {
  const all = cluster.group('loadbalancers')
  return all.slice(all.indexOf(host) + 1)
}

function preferred(host: Host, cluster: Cluster): Host[] {
  const all = cluster.group('loadbalancers')
  return all.slice(0, all.indexOf(host))
}
