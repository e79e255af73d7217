import {
  aptLists,
  aptUpgraded,
  aptUpgrades,
  backInService,
  InputError,
  nodesReady,
  outOfService,
  play,
  playbook,
  reboot,
  rebootNeeded,
  resource,
  stackRunning,
  type Cluster,
  type FactStore,
  type Host,
} from 'bramble'

/** Operating system and Docker in their newest versions, one node at a time; a node with nothing to do is left alone. */
export default (cluster: Cluster) =>
  playbook({
    name: 'upgrade',
    plays: [
      look(cluster),
      whole(cluster),
      ...inOrder(cluster).map((host) =>
        // By its name it can be asked for alone: --tags rpi3
        playbook({
          name: host.name,
          plays: [
            ...outOfService(host, cluster, isDue(host)),
            upgrade(host),
            ...backInService(host, cluster),
          ],
        }),
      ),
    ],
  })

/** What there is to do; it ends the run if a node does not answer: now is no time to take out another. */
function look(cluster: Cluster) {
  return play({
    name: 'what there is to upgrade',
    hosts: 'all',
    critical: true,
    tags: cluster.hosts.map(({ name }) => name),
    *tasks(_, { alive }) {
      const missing = cluster.hosts.filter((host) => !alive.includes(host))
      if (missing.length > 0) {
        throw new InputError(
          `an upgrade has to see the whole cluster, and ${missing[0]?.name} is not in this run`,
          {
            next: 'Leave --limit out; --tags rpi3,rpi4 upgrades only those.',
          },
        )
      }
      yield aptLists()
      yield aptUpgrades()
      yield resource({
        title: 'reboot needed',
        probe: rebootNeeded(),
        plan: () => undefined,
        facts: ({ code }) => ({ reboot_needed: String(code === 0) }),
      })
    },
  })
}

/** Where one is missing already, a node that is taken out would be the second; it ends the run before. */
function whole(cluster: Cluster) {
  const { stack } = cluster.settings
  return play({
    name: 'the cluster before an upgrade',
    hosts: 'managers',
    runOnce: true,
    critical: true,
    tags: cluster.hosts.map(({ name }) => name),
    *tasks(_, { facts }) {
      if (!cluster.hosts.some((host) => isDue(host)(facts))) return
      yield nodesReady({ names: cluster.match('managers:workers').map(({ name }) => name) })
      yield stackRunning({ name: stack.name, directory: stack.directory, timeout: stack.deploy_timeout })
    },
  })
}

function isDue(host: Host) {
  return (facts: FactStore) =>
    facts.get(host.name, 'upgrades') !== '0' || facts.get(host.name, 'reboot_needed') === 'true'
}

function upgrade(host: Host) {
  return play({
    name: `upgrade ${host.name}`,
    hosts: host.name,
    critical: true,
    *tasks(_, { facts }) {
      if (!isDue(host)(facts)) return
      yield aptUpgraded()
      yield reboot({ reason: 'upgrade', needed: rebootNeeded() })
    },
  })
}

/** The load balancers last, the preferred one at the very end: the virtual address moves twice, there and back. */
function inOrder(cluster: Cluster): Host[] {
  const balancers = cluster.group('loadbalancers')
  return [...cluster.hosts.filter((host) => !balancers.includes(host)), ...balancers.toReversed()]
}
