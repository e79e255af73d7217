import type { Cluster, Host } from '../inventory/types.ts'
import { dockerAsk } from '../modules/docker.ts'
import { machineFacts } from '../modules/machine-facts.ts'
import { membershipWithin } from '../modules/membership.ts'
import { bundle, type Bundle } from '../playbook/batch.ts'
import type { Seen } from '../playbook/resource.ts'
import { raw, sh, type Sh } from '../playbook/sh.ts'
import { stackProbe } from '../stack/state.ts'

/** What a host is asked, by name. */
export type Part = 'machine' | 'member' | 'docker' | 'share' | 'content' | 'haproxy'

/**
 * All that a host is asked, as one command that writes nothing. Its parts run side by side, and none of them takes
 * longer than `seconds`, whatever hangs: Docker, HAProxy or the NFS server.
 *
 * @example statusProbe(cluster, host, 5)
 */
export function statusProbe(cluster: Pick<Cluster, 'settings'>, host: Host, seconds: number): Sh {
  const { nfs, haproxy } = cluster.settings
  return sideBySide({
    machine: machineFacts().probe,
    member: membershipWithin(seconds),
    ...(host.in('webservers') && {
      share: shareProbe(nfs.mount, seconds),
      // The service that keeps the mirror writes it; there is none where there is no mirror.
      content: sh`[ ! -e /run/bramble/content ] || cat /run/bramble/content`,
    }),
    ...(host.in('loadbalancers') && {
      haproxy: sh`curl -fsS --max-time ${seconds} ${`http://127.0.0.1:${haproxy.health_port}/stats;csv`} 2>&1`,
    }),
    // The largest answer is the last part, which never waits for the pipe to be read.
    docker: raw(dockerQuestions(cluster, host, seconds).commands.join('\n')),
  })
}

/** Whether the daemon answers; managers also tell of the swarm and the stack. All of it is one curl. */
export function dockerQuestions(cluster: Pick<Cluster, 'settings'>, host: Host, seconds: number): Bundle {
  const { name, directory } = cluster.settings.stack
  return bundle([
    dockerAsk({ paths: ['/_ping'], seconds }),
    ...(host.in('managers') ? [stackProbe(name, directory, seconds)] : []),
  ])
}

/** The kernel's word on what is mounted; then a question that only the server can answer: how full it is. */
function shareProbe(path: string, seconds: number): Sh {
  return sh`mounted=
while read -r source where type _; do [ "$where" != ${path} ] || mounted="$type $source"; done </proc/self/mounts
[ -n "$mounted" ] || exit 0
echo "mounted $mounted"
# What waits for a dead server may not even end by a signal: it is left behind, with nothing that anybody waits for.
stat -f ${path} >/dev/null 2>&1 &
tries=0
while kill -0 $! 2>/dev/null; do
  if [ "$tries" -ge ${Math.round(Math.min(seconds, 3) * 10)} ]; then kill -KILL $!; exit 0; fi
  tries=$((tries + 1))
  sleep 0.1
done
if wait $!; then echo answers; else timeout -s KILL 1 stat -f ${path} 2>&1 >/dev/null | sed 's/^/error /'; fi`
}

/**
 * Runs commands at the same time. What one prints waits in a pipe until those after it are done, so there is no need of
 * a file; the end of each is a line with its name and exit code.
 */
function sideBySide(parts: Partial<Record<Part, Sh>>): Sh {
  const framed = Object.entries(parts).map(
    ([name, part]) => sh`(
${part}
) </dev/null
printf '\\n--- %s %s\\n' ${name} $?`,
  )
  return framed.reduceRight(
    (rest, part) =>
      sh`{
${part}
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
