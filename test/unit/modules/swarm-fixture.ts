import type { DockerInfo } from '../../../src/modules/docker.ts'
import type { SwarmNode } from '../../../src/modules/swarm-nodes.ts'

/** What the daemon answers to `GET /info`, as far as it is used. */
export function info(swarm: Partial<DockerInfo['Swarm']> = {}): string {
  const Swarm = {
    NodeID: '',
    NodeAddr: '',
    LocalNodeState: 'inactive',
    ControlAvailable: false,
    Error: '',
    RemoteManagers: null,
    ...swarm,
  }
  return `${JSON.stringify({ ServerVersion: '20.10.24', Swarm })}\n`
}

export const manager: Partial<DockerInfo['Swarm']> = {
  NodeID: 'id1',
  NodeAddr: '192.168.188.11',
  LocalNodeState: 'active',
  ControlAvailable: true,
  RemoteManagers: [{ NodeID: 'id1', Addr: '192.168.188.11:2377' }],
  Cluster: { ID: 'cluster1' },
}

export const worker: Partial<DockerInfo['Swarm']> = {
  ...manager,
  NodeID: 'id4',
  NodeAddr: '192.168.188.14',
  ControlAvailable: false,
  Cluster: null,
}

/** A node as `GET /nodes` tells it. */
export function node(
  hostname: string,
  labels: Record<string, string> = {},
  more: Partial<SwarmNode> = {},
): SwarmNode {
  return {
    ID: `id-${hostname}`,
    Spec: { Labels: labels, Role: 'worker', Availability: 'active' },
    Description: { Hostname: hostname },
    Status: { State: 'ready' },
    ...more,
  }
}
