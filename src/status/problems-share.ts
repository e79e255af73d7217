import { problem, type Findings } from './problem.ts'
import type { Problem, Share } from './types.ts'

/** After that long a mirror is told to be old, in milliseconds. */
const OLD = 3_600_000

/** The share, on the web servers. */
export function shareProblems({ answers, status, commands }: Findings): Problem[] {
  const { mount } = answers.cluster.settings.nfs
  const server = answers.cluster.group('nfs_server').map(({ name }) => name)
  const those = (test: (share: Share) => boolean): string[] =>
    status.nodes.filter(({ share }) => share && test(share)).map(({ name }) => name)
  const unmounted = those(({ mounted }) => !mounted)
  const silent = those(({ mounted, answers, error }) => mounted && !answers && error === null)
  const failing = status.nodes.flatMap(({ name, share }) =>
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

/** Web servers that serve their mirror, and mirrors that are old. */
export function contentProblems({ status, commands, now }: Findings): Problem[] {
  const known = status.nodes.flatMap(({ name, content, clock_offset_s: offset }) => {
    const refreshed = content?.refreshed ? Date.parse(content.refreshed) - (offset ?? 0) * 1000 : undefined
    return content ? [{ name, content, old: refreshed !== undefined && now - refreshed > OLD }] : []
  })
  const mirrors = known.filter(({ content }) => content.source === 'mirror').map(({ name }) => name)
  const old = known.filter((one) => one.old && one.content.source !== 'mirror').map(({ name }) => name)
  return [
    ...(mirrors.length > 0
      ? [
          problem(
            mirrors,
            `${mirrors.join(', ')}: not the share is served, but the mirror of it`,
            [commands.exec(mirrors, 'cat /run/bramble/content')],
            'By itself the share is served again once it answers.',
          ),
        ]
      : []),
    ...(old.length > 0
      ? [
          problem(old, `the mirror on ${old.join(', ')} has not been refreshed for more than an hour`, [
            commands.exec(old, `systemctl status 'bramble*'`),
          ]),
        ]
      : []),
  ]
}
