import type { Cluster, Host } from '../inventory/index.ts'
import { balancerReady, vipReleased } from '../modules/vip.ts'
import type { FactStore } from '../playbook/facts.ts'
import { play, type Play } from '../playbook/play.ts'
import { resource, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'

/** Whether there is something to do on the node: asked when its turn comes, of what hosts told before. */
export type When = (facts: FactStore) => boolean

export const always: When = () => true

/** Plays that hand the virtual address over to another load balancer; only its holder has something to do. */
export function vipAway(host: Host, cluster: Cluster, when: When = always): Play[] {
  const { stack, haproxy } = cluster.settings
  return [
    play({
      name: `who can take the virtual IP from ${host.name}`,
      hosts: others(host, cluster)
        .map(({ name }) => name)
        .join(':'),
      *tasks(_, { facts }) {
        if (when(facts)) yield balancerReady({ stack: stack.name, healthPort: haproxy.health_port })
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
      if (wrote && preferred(host, cluster).length > 0 && getsTasks(host, cluster, facts))
        yield holder(cluster)
    }),
    balancers('who shall have the virtual IP', function* (host, { cluster, facts }) {
      if (lessPreferred(host, cluster).some(({ name }) => facts.find(name, 'holds_vip') === 'true'))
        yield balancerReady(named(cluster))
    }),
    balancers('virtual IP back', function* (host, { alive, cluster, facts }) {
      const ready = alive.filter(({ name }) => facts.find(name, 'balancer') === 'ready')
      if (facts.find(host.name, 'holds_vip') !== 'true') return
      if (!preferred(host, cluster).some((one) => ready.includes(one))) return
      yield completing(released(host, cluster, facts))
      // Until it has started again, nobody would take the address over.
      yield balancerReady({ ...named(cluster), timeout: 120 })
    }),
  ]
}

function balancers(name: string, tasks: Play['tasks']): Play {
  return play({ name, hosts: 'loadbalancers', tasks })
}

/** Tells whether the address is here. */
function holder({ settings }: Cluster): Resource {
  const { address } = settings.vip
  return resource({
    title: `virtual IP ${address}`,
    probe: sh`ip -4 -oneline address show to ${address}`,
    plan: () => undefined,
    facts: ({ stdout }) => ({ holds_vip: String(stdout.includes(` ${address}/`)) }),
  })
}

/** Whether a Keepalived that ends there is started again: a manager has told so after the deploy. */
function getsTasks({ name }: Host, cluster: Cluster, facts: FactStore): boolean {
  const told = cluster.group('managers').flatMap((manager) => facts.find(manager.name, 'active_nodes') ?? [])
  return told.some((names) => String(names).split(' ').includes(name))
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

function named({ settings }: Cluster) {
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
export function inUse({ name }: Host, cluster: Cluster, facts: FactStore): boolean {
  return !cluster.group('managers').some((manager) =>
    String(facts.find(manager.name, 'out_of_service') ?? '')
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
