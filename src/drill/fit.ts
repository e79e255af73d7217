import type { Cluster, Host } from '../inventory/index.ts'

/** What a cluster lacks for a drill, in words; undefined when it has all. */
export type Unfit = (cluster: Cluster) => string | undefined

/** Somebody else has to take the virtual IP. */
export const oneBalancer: Unfit = (cluster) =>
  cluster.group('loadbalancers').length < 2 ? 'there is no other load balancer' : undefined

/** The others have to choose another leader. */
export const fewManagers: Unfit = (cluster) =>
  cluster.group('managers').length < 3
    ? 'without one of them, two managers or fewer are no majority'
    : undefined

/** A web server that can go without anything else going. */
export function webServerOnly(cluster: Cluster): Host | undefined {
  return cluster.group('webservers').find((host) => !host.in('loadbalancers') && !host.in('nfs_server'))
}

export const noWebServerOnly: Unfit = (cluster) =>
  webServerOnly(cluster) ? undefined : 'every web server is a load balancer or the NFS server, too'

/** Others have to serve what the NFS server has. */
export const noShare: Unfit = (cluster) => {
  if (cluster.group('nfs_server').length === 0) return 'there is no NFS server'
  const others = cluster.group('webservers').filter((host) => !host.in('nfs_server'))
  return others.length === 0 ? 'there is no web server but the NFS server itself' : undefined
}
