import { isDeepStrictEqual } from 'node:util'
import type { ClusterStatus } from '../status/types.ts'

/** What a drill must leave as it was: by name, as text to compare and to show. */
export type Shape = Readonly<Record<string, string>>

/** Which parts of a cluster there are, and what they do; not which manager leads, since any of them may. */
export function shapeOf({ vip, nodes, services, balancers }: ClusterStatus): Shape {
  return Object.fromEntries([
    ['virtual IP', vip.holders.toSorted().join(', ') || 'nobody'],
    ...nodes.map(({ name, role, availability, state, share }) => [
      name,
      [role ?? 'not in the swarm', availability, state, share && (share.answers ? 'share' : 'no share')]
        .filter(Boolean)
        .join(', '),
    ]),
    ...(services ?? []).map(({ name, running, desired }) => [`service ${name}`, `${running} of ${desired}`]),
    ...balancers.map(({ name, servers }) => [
      `HAProxy of ${name}`,
      servers.map((server) => `${server.name} ${server.up ? 'up' : 'down'}`).join(', ') || 'no answer',
    ]),
  ])
}

/** What differs from how it was, and what is wrong besides, a line each; none when the cluster is whole again. */
export function missing(before: Shape, status: ClusterStatus): string[] {
  const now = shapeOf(status)
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  const changed = [...names]
    .filter((name) => !isDeepStrictEqual(before[name], now[name]))
    .map((name) => `${name}: ${now[name] ?? 'gone'} (was: ${before[name] ?? 'not there'})`)
  return [...changed, ...status.problems.map(({ what }) => what)]
}
