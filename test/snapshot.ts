/**
 * What a login leaves behind, whoever it is: sshd and pam_lastlog their records; systemd-logind and systemd a session,
 * its scope, the user's runtime directory and manager, and the directories that these are listed in; and the journal,
 * which is told of all that; pam_motd the greeting, a new file in /run. Nothing else may change, here and in /proc,
 * where mounts and kernel parameters are.
 */
const ofLogins = [
  '/run',
  '/run/motd.dynamic*',
  '/run/utmp',
  '/var/log/wtmp',
  '/var/log/lastlog',
  '/run/log/journal/*',
  '/var/log/journal/*',
  '/run/systemd/journal/streams*',
  '/run/systemd/sessions*',
  '/run/systemd/users*',
  '/run/systemd/transient',
  '/run/systemd/transient/session-*.scope*',
  '/run/systemd/units',
  '/run/systemd/units/invocation:session-*.scope',
  '/run/systemd/units/invocation:user@*.service',
  '/run/systemd/units/invocation:user-runtime-dir@*.service',
  '/run/user*',
]

const attributes = '%p %i %T@ %C@ %s %m %U %G %l\\n'

/**
 * Shell that prints every file with inode, times, size, mode, owner and target, a line each; what is mounted; kernel
 * parameters. systemd-nspawn writes /run/host from the outside.
 *
 * @param busy directories that change whoever looks
 */
export function snapshot(busy: readonly string[] = []): string {
  const pruned = ['/proc', '/sys', '/dev', '/run/host', ...busy].map((path) => `-path ${path}`).join(' -o ')
  const ignored = ofLogins.map((path) => `-path '${path}'`).join(' -o ')
  return `{ find / \\( ${pruned} \\) -prune -o ! \\( ${ignored} \\) -printf '${attributes}'
grep -v ' /run/user/' /proc/self/mounts; sysctl -a --pattern '^(net.ipv4|kernel.printk)'; } 2>/dev/null | sort`
}

/** Shell that prints the lines of a snapshot that are not as they were when another one went to /dev/shm/before. */
export function changedSince(taken: string): string {
  return `${taken} >/dev/shm/after; diff /dev/shm/before /dev/shm/after | grep '^[<>]' || :`
}

/** What of the journal of a host's first process is more than letting somebody in. */
export function beyondLogins(journal: string): string[] {
  return journal
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        !/session-\d+\.scope|user(-runtime-dir)?@\d+\.service|user-\d+\.slice|run-user-\d+\.mount/.test(line),
    )
}
