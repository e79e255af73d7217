import {
  ghostsRemoved,
  nodeLabels,
  nodesActive,
  nodeRoles,
  nodesReady,
  play,
  playbook,
  stackNodeLabels,
  swarmInit,
  swarmJoin,
  swarmState,
  swarmTokens,
  swarmTrouble,
  type Cluster,
  type FactStore,
  type Host,
} from 'bramble'

/** What each host says of its own place in the swarm. */
const state = play({
  name: 'swarm state',
  hosts: 'managers:workers',
  *tasks() {
    yield swarmState()
  },
})

/** A new swarm, when no manager of the inventory is in one. */
const init = play({
  name: 'swarm init',
  hosts: 'managers',
  runOnce: true,
  critical: true,
  *tasks(host, { cluster, facts }) {
    if (leader(cluster, facts)) return
    for (const { name } of cluster.group('managers')) {
      const state = facts.get(name, 'swarm')
      if (state !== 'inactive') throw swarmTrouble({ name, state })
    }
    const { address_pool, address_pool_size, data_path_port } = cluster.settings.swarm
    yield swarmInit({
      advertise: host.address,
      addressPool: address_pool,
      addressPoolSize: address_pool_size,
      dataPathPort: data_path_port,
    })
  },
})

/** What lets others in; asked only when somebody may have to join. */
const tokens = play({
  name: 'swarm tokens',
  hosts: 'managers',
  *tasks(host, { cluster, facts }) {
    const members = [...cluster.group('managers'), ...cluster.group('workers')]
    const outside = members.some(({ name }) => (facts.find(name, 'swarm') ?? 'active') !== 'active')
    // The swarm's first manager has just made it, and nobody else knows yet who leads.
    const first = leader(cluster, facts)
    if (outside && host === first) yield swarmTokens()
  },
})

/** Managers join one at a time: each changes what a majority is. */
const managers = play({
  name: 'swarm managers',
  hosts: 'managers',
  serial: 1,
  critical: true,
  *tasks(host, { cluster, facts }) {
    yield member(host, 'manager', cluster, facts)
  },
})

const workers = play({
  name: 'swarm workers',
  hosts: 'workers',
  *tasks(host, { cluster, facts }) {
    yield member(host, 'worker', cluster, facts)
  },
})

/** Roles as the inventory has them now; labels tell the stack where each service runs. */
const labels = play({
  name: 'swarm labels',
  hosts: 'managers',
  *tasks(host, { cluster, alive, facts }) {
    // The first of the inventory may be a worker of the swarm, which is not told of the others.
    const managers = cluster.group('managers').filter((one) => alive.includes(one))
    if (host !== (leader(cluster, facts, managers) ?? managers[0])) return
    const names = new Set([...cluster.group('managers'), ...cluster.group('workers')].map(({ name }) => name))
    const ids = alive.flatMap(({ name }) => {
      const id = facts.find(name, 'node')
      return names.has(name) && typeof id === 'string' ? [[name, id] as const] : []
    })
    yield ghostsRemoved({ ids: Object.fromEntries(ids) })
    const here = alive.filter(({ name }) => names.has(name))
    const roles = here.map((host) => [host.name, host.in('managers') ? 'manager' : 'worker'] as const)
    yield nodesReady({ names: here.map(({ name }) => name) })
    yield nodeRoles({ roles: Object.fromEntries(roles) })
    // Those that an upgrade or a removal took out of service, and was interrupted before it took them back.
    yield nodesActive({ nodes: [...names] })
    yield nodeLabels(stackNodeLabels({ cluster, alive }))
  },
})

export default playbook({ name: 'swarm', plays: [state, init, tokens, managers, workers, labels] })

function member(host: Host, role: 'manager' | 'worker', cluster: Cluster, facts: FactStore) {
  const others = cluster.group('managers').filter((manager) => manager !== host)
  // Those that are in the swarm already come first: they can let somebody in.
  const known = others.toSorted((a, b) => Number(isActive(b, facts)) - Number(isActive(a, facts)))
  const from = () => (leader(cluster, facts) ?? known[0] ?? host).name
  return swarmJoin({
    role,
    advertise: host.address,
    managers: known.map((manager) => manager.address),
    token: () => facts.secret(from(), `${role}_token`),
    cluster: () => {
      const id = facts.find(from(), 'cluster')
      return typeof id === 'string' ? id : undefined
    },
  })
}

/** The first manager of the inventory that is in the swarm; where there are several swarms, in that of most. */
function leader(cluster: Cluster, facts: FactStore, among = cluster.group('managers')): Host | undefined {
  const managers = among.filter((host) => isActive(host, facts))
  const members = (host: Host) => {
    const id = facts.find(host.name, 'cluster')
    return cluster.hosts.filter(({ name }) => facts.find(name, 'cluster') === id).length
  }
  return managers.toSorted((one, other) => members(other) - members(one))[0]
}

function isActive(host: Host, facts: FactStore): boolean {
  return facts.find(host.name, 'swarm') === 'active' && facts.find(host.name, 'manager') === 'true'
}
