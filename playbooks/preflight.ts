import { play, playbook, preflight, preflightAcross, routes, type Secret } from 'bramble'

/** What a machine must be before anything is changed on any. One that cannot be reached holds up nobody. */
const machines = play({
  name: 'preflight',
  hosts: 'all',
  critical: 'tasks',
  *tasks(host, { cluster }) {
    const { min_free_disk_mb: minFreeDisk } = cluster.settings.preflight
    yield preflight({ hostname: host.name, address: host.address, minFreeDisk })
    const peers = cluster.hosts.filter((other) => other !== host).map(({ address }) => address)
    const { nginx } = cluster.settings
    // Of the swarm, of NFS, and where HAProxy finds the web servers.
    yield routes({ from: host.address, peers, ports: [22, 2377, 7946, 2049, nginx.port] })
  },
})

/** Whether the machines fit together. */
const together = play({
  name: 'preflight together',
  hosts: 'all',
  critical: 'tasks',
  *tasks(host, { cluster, facts, alive }) {
    yield preflightAcross({
      host: host.name,
      hosts: Object.fromEntries(
        alive.map(({ name }) => [
          name,
          {
            machine_id: text(facts.find(name, 'machine_id')),
            clock_offset: text(facts.find(name, 'clock_offset')),
            addresses: text(facts.find(name, 'addresses')),
          },
        ]),
      ),
      maxClockSkew: cluster.settings.preflight.max_clock_skew,
      vip: {
        address: cluster.settings.vip.address,
        holders: cluster.group('loadbalancers').map(({ name }) => name),
      },
    })
  },
})

export default playbook({ name: 'preflight', plays: [machines, together] })

function text(value: string | Secret | undefined): string {
  return typeof value === 'string' ? value : ''
}
