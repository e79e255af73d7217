import { problem, type Findings } from './problem.ts'
import { stamp } from './stamp.ts'
import type { NodeStatus, Problem, Share } from './types.ts'

/** After that long a mirror is told to be old, in milliseconds; or after three times the time between two refreshes. */
const OLD = 3_600_000

/** The share, on the web servers. */
export function shareProblems({ answers, status, commands }: Findings): Problem[] {
  const { mount } = answers.cluster.settings.nfs
  const server = answers.cluster.group('nfs_server').map(({ name }) => name)
  // Where the mirror is served instead, that is told with its reason.
  const nodes = status.nodes.filter(({ content }) => content?.source !== 'mirror')
  const those = (test: (share: Share) => boolean): string[] =>
    nodes.filter(({ share }) => share && test(share)).map(({ name }) => name)
  const unmounted = those(({ mounted }) => !mounted)
  const silent = those(({ mounted, answers, error }) => mounted && !answers && error === null)
  const failing = nodes.flatMap(({ name, share }) =>
    share?.error
      ? [
          problem([name], `the share on ${name} fails: ${share.error}`, [
            commands.exec([name], `umount -l ${mount}`),
            commands.apply('nfs', [name]),
          ]),
        ]
      : [],
  )
  return [
    ...(unmounted.length > 0
      ? [
          problem(unmounted, `the share is not mounted on ${unmounted.join(', ')}`, [
            commands.apply('nfs', unmounted),
          ]),
        ]
      : []),
    ...(silent.length > 0
      ? [
          problem(
            silent,
            `the share does not answer on ${silent.join(', ')}`,
            [commands.exec(server, 'systemctl status nfs-server')],
            'Is its server well?',
          ),
        ]
      : []),
    ...failing,
  ]
}

/** Web servers that serve their mirror, and mirrors that are not what the share is. */
export function contentProblems(findings: Findings): Problem[] {
  return [...servedMirrors(findings), ...keptMirrors(findings)]
}

function servedMirrors({ answers, status, commands }: Findings): Problem[] {
  const { nfs } = answers.cluster.settings
  const server = answers.cluster.group('nfs_server').map(({ name }) => name)
  const reasons = byWord(status.nodes, ({ content }) =>
    content?.source === 'mirror' ? (content.reason ?? 'nobody knows why') : undefined,
  )
  return reasons.map(([reason, nodes]) => {
    const hosts = nodes.map(({ name }) => name)
    const since = nodes.flatMap(({ content }) => content?.since ?? []).toSorted()[0]
    const what = `${hosts.join(', ')}: the mirror is served${since ? ` since ${stamp(since)}` : ''}: ${reason}`
    return reason.includes('is empty')
      ? problem(
          hosts,
          what,
          [
            commands.exec(server, `ls -A ${nfs.export}`),
            commands.exec(hosts, `rm ${nfs.mount}.mirror/current`),
          ],
          'Is its disk mounted on the server? If nothing is to be in it any more, remove the mirrors too:',
        )
      : problem(
          hosts,
          what,
          [commands.exec(server, 'systemctl status nfs-server')],
          'By itself the share is served again once it answers. Is its server well?',
        )
  })
}

function keptMirrors({ answers, status, commands, now }: Findings): Problem[] {
  const { refresh_interval: interval, max_size_mb: size } = answers.cluster.settings.mirror
  if (size === 0) return []
  const limit = Math.max(OLD, 3000 * interval)
  const kept = status.nodes.filter(({ content }) => content?.source === 'nfs')
  const log = (hosts: string[]) => commands.exec(hosts, 'journalctl -n 20 -u bramble-content')
  const failed = byWord(kept, ({ content }) => content?.error ?? undefined).map(([error, nodes]) => {
    const hosts = nodes.map(({ name }) => name)
    return problem(hosts, `the mirror on ${hosts.join(', ')} cannot be refreshed: ${error}`, [log(hosts)])
  })
  const old = kept
    .filter(({ content, clock_offset_s: offset }) => {
      const refreshed = content?.refreshed ? Date.parse(content.refreshed) - (offset ?? 0) * 1000 : now
      return content?.error === null && now - refreshed > limit
    })
    .map(({ name }) => name)
  if (old.length === 0) return failed
  const what = `the mirror on ${old.join(', ')} has not been refreshed for more than ${hours(limit)}`
  return [...failed, problem(old, what, [commands.exec(old, 'systemctl status bramble-content'), log(old)])]
}

function hours(milliseconds: number): string {
  const count = Math.round(milliseconds / 3_600_000)
  return count === 1 ? 'an hour' : `${count} hours`
}

/** Those with the same word together; those without are left out. */
function byWord(
  nodes: readonly NodeStatus[],
  wordOf: (node: NodeStatus) => string | undefined,
): [string, NodeStatus[]][] {
  const groups = new Map<string, NodeStatus[]>()
  for (const node of nodes) {
    const word = wordOf(node)
    if (word !== undefined) groups.set(word, [...(groups.get(word) ?? []), node])
  }
  return [...groups]
}
