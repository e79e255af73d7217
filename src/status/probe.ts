import type { Cluster, Host } from '../inventory/types.ts'
import { dockerAsk } from '../modules/docker.ts'
import { membershipWithin } from '../modules/membership.ts'
import { bundle, type Bundle } from '../playbook/batch.ts'
import type { Seen } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { swarmProbe } from '../stack/state.ts'
import { statisticsProbe } from './haproxy.ts'
import { machineProbe } from './machine.ts'

/** What a host is asked, by name. */
export type Part = 'machine' | 'member' | 'docker' | 'haproxy'

/**
 * All that a host is asked, as one command that writes nothing. What may hang is asked side by side (Docker, HAProxy,
 * the NFS server), and none of it longer than `seconds`.
 *
 * @example statusProbe(cluster, host, 5)
 */
export function statusProbe(cluster: Pick<Cluster, 'settings' | 'group'>, host: Host, seconds: number): Sh {
  const { vip, haproxy } = cluster.settings
  return sideBySide([
    part('machine', machineProbe(vip.address, shareOf(cluster, host), seconds)),
    ...(host.in('loadbalancers') ? [part('haproxy', statisticsProbe(haproxy.health_port, seconds))] : []),
    // The largest answer comes last, which never waits for the pipe to be read.
    lines(
      part('docker', raw(dockerQuestions(cluster, host, seconds).commands.join('\n'))),
      part('member', membershipWithin(seconds)),
    ),
  ])
}

/** Where the host mounts the share; undefined for one that is no web server, and where no host has a share. */
export function shareOf(cluster: Pick<Cluster, 'settings' | 'group'>, host: Host): string | undefined {
  return host.in('webservers') && cluster.group('nfs_server').length > 0
    ? cluster.settings.nfs.mount
    : undefined
}

/** Whether the daemon answers; managers also tell of the swarm and the stack. All of it is one curl. */
export function dockerQuestions(cluster: Pick<Cluster, 'settings'>, host: Host, seconds: number): Bundle {
  return bundle([
    dockerAsk({ paths: ['/_ping'], seconds }),
    ...(host.in('managers') ? [swarmProbe(cluster.settings.stack.name, seconds)] : []),
  ])
}

/** A command in a subshell of its own; its end is a line with its name and exit code. */
function part(name: Part, command: Sh): Sh {
  return sh`(
${command}
) </dev/null
printf '\\n--- %s %s\\n' ${name} $?`
}

/** Runs commands at the same time: what one prints waits in a pipe until those after it are done, and in no file. */
function sideBySide(commands: readonly Sh[]): Sh {
  return commands.reduceRight(
    (rest, command) =>
      sh`{
${command}
} | {
${rest}
cat
}`,
  )
}

/** What each part printed. */
export function readParts(stdout: string): Partial<Record<Part, Seen>> {
  const ends = [...stdout.matchAll(/\n--- (\w+) (\d+)\n/g)]
  return Object.fromEntries(
    ends.map((end, index) => {
      const before = ends[index - 1]
      const from = before ? before.index + before[0].length : 0
      return [end[1] ?? '', { code: Number(end[2]), stdout: stdout.slice(from, end.index) }]
    }),
  )
}
