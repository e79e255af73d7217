import { lines, raw, sh, type Sh } from '../playbook/sh.ts'

const LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
]

/**
 * Shell functions: `locked` says who holds a lock on one of these files, and fails if nobody does; `unlocked` runs
 * a command once none is held, again if a lock was what it failed on, until `seconds` have passed: then it returns 75.
 *
 * apt's own DPkg::Lock::Timeout waits for dpkg's lock, but not for those on package lists and archives.
 *
 * @see proc_locks(5)
 */
export function lockFunctions(locks: readonly string[], seconds: number): Sh {
  return sh`locked() {
  while read -r _ _ _ _ pid _; do
    for open in "/proc/$pid/fd/"*; do
      for lock in ${locks}; do
        [ "$open" -ef "$lock" ] || continue
        echo "$lock is held by process $pid: $(tr '\\0' ' ' <"/proc/$pid/cmdline")"
        return 0
      done
    done
  done </proc/locks
  return 1
}
unlocked() {
  read -r now _ </proc/uptime
  end=$((\${now%.*} + ${seconds}))
  while :; do
    while held=$(locked); do
      read -r now _ </proc/uptime
      [ "\${now%.*}" -lt "$end" ] || { echo ${`gave up after ${seconds} s:`} "$held" >&2; return 75; }
      sleep 1
    done
    "$@" && return 0
    code=$?
    held=$(locked) || return "$code"
  done
}`
}

/**
 * A script that runs apt-get, with a dpkg that was cut short mended. Package lists are fetched if they have to be: before
 * an installation, for which it is no error that some could not be.
 */
export function aptGet(words: readonly string[], lockTimeout: number): Sh {
  return lines(
    lockFunctions(LOCKS, lockTimeout),
    sh`export DEBIAN_FRONTEND=noninteractive
apt_get() { apt-get -q -y -o DPkg::Lock::Timeout=${lockTimeout} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
update() {
  unlocked apt_get -o APT::Update::Error-Mode=any update && touch /var/lib/apt/lists && return
  code=$?
  # apt has touched them all the same.
  touch -d @0 /var/lib/apt/lists
  return "$code"
}
change() { unlocked apt_get --no-install-recommends ${words}; }`,
    raw(`set -- /var/lib/dpkg/updates/[0-9]*
[ ! -e "$1" ] || unlocked dpkg --force-confdef --force-confold --configure -a || exit`),
    words[0] === 'install' ? INSTALL : raw(words[0] === 'update' ? 'update || exit' : 'change || exit'),
  )
}

/** Sets `stale` where there are no package lists, or none of the sources as they are now. */
export const WITHOUT_LISTS: Sh = raw(`set -- /var/lib/apt/lists/*Release
[ -e "$1" ] || stale=yes
for source in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/sources.list.d/*; do
  [ ! "$source" -nt /var/lib/apt/lists ] || stale=yes
done`)

const INSTALL = raw(`stale=$(find /var/lib/apt/lists -maxdepth 0 -mtime +0)
${WITHOUT_LISTS.text}
if [ -z "$stale" ]; then
  change && exit
  code=$?
  [ "$code" -ne 75 ] || exit "$code"
fi
update || {
  code=$?
  [ "$code" -ne 75 ] || exit "$code"
}
change || exit`)
