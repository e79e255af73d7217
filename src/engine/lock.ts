import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { TaskError } from '../errors.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import type { Answer } from '../ssh/framing.ts'

/** How a run takes the locks of the hosts that it changes. */
export interface RunLock {
  /** The run: its own connections to one machine do not lock each other out. */
  id: string
  /** `ivy@laptop (process 4711)`. */
  owner: string
  /** When the run began, as ISO 8601. */
  since: string
  /** Whoever holds a lock is ended. */
  force: boolean
}

/** Seconds between two signs of life, and without one until a lock counts as left behind. */
export const BEAT = 5
const SILENCE = 20
/** The same while an input is on its way to the host: a sign of life has to wait behind it where the network is slow. */
const SILENCE_IN_INPUT = 60
/** Seconds that a lock may be held by somebody who is about to let go of it: the run before this one. */
const GRACE = 3

const LATE = 83
const HELD = 84

/** Who holds the lock of a host, as the host tells. */
export interface Holder {
  /** The shell that holds it. */
  pid: number
  owner: string
  since: string
  /** Its connection is gone: it only ends the step that it was at. */
  orphaned: boolean
  /** Seconds since it was last heard from. */
  quiet: number
  /** Seconds that are left to it unless more is heard from it. */
  left: number
}

/** The lock was not free, or another run changed the host after this one had looked: nothing was done. */
export class LockedOut extends Error {
  override name = 'LockedOut'
  readonly answer: Answer

  constructor(answer: Answer = { code: HELD, stdout: '', stderr: '' }) {
    super('the lock of the host was not free')
    this.answer = answer
  }
}

export function newLock(force = false): RunLock {
  const owner = `${userInfo().username}@${hostname()} (process ${process.pid})`
  return { id: randomUUID(), owner, since: new Date().toISOString(), force }
}

/** Times are hundredths of a second by the host's uptime: nobody sets that clock. */
const BEATING = raw(`bramble_now() { read -r now _ </proc/uptime; now=\${now%.*}\${now#*.}; }
bramble_beat() { bramble_now; echo "$now $((now + $1))" >/run/bramble/lease; }`)

/** A sign of life: for `seconds`, and what counts as silence, nobody is to take the lock for left behind. */
export function beat(seconds = 0): Sh {
  return lines(BEATING, sh`bramble_beat ${lease(seconds)}`)
}

/** The same where an input is on its way. */
export function beatInInput(): Sh {
  return beat(SILENCE_IN_INPUT - SILENCE)
}

const lease = (seconds: number) => Math.ceil((seconds + SILENCE) * 100)

const TAKING = raw(`bramble_chain() {
  chain= next=$1
  while [ "$next" -gt 1 ] && read -r stat <"/proc/$next/stat"; do
    chain="$chain $next" stat=\${stat##*) }
    stat=\${stat#* }
    next=\${stat%% *}
  done
} 2>/dev/null
bramble_take() {
  [ -w /run ] || [ -w /run/bramble ] || return 0
  [ -d /run/bramble ] || mkdir -p /run/bramble || return
  if [ -n "\${bramble_locked-}" ]; then
    bramble_beat "$4"
    return
  fi
  id= pid= line= owner= since= at= until= code=0
  [ ! -r /run/bramble/lock ] || { read -r id; read -r pid; read -r line; read -r owner; read -r since; } </run/bramble/lock
  [ ! -r /run/bramble/lease ] || read -r at until </run/bramble/lease || :
  # Who can open it can lock it.
  (umask 077; : >>/run/bramble/lock) || return
  exec 9>>/run/bramble/lock
  flock -n 9 || code=$?
  bramble_now
  if [ $code -eq 0 ]; then
    bramble_locked=yes
    bramble_chain $$
    printf '%s\\n' "$1" $$ "\${chain# }" "$2" "$3" >/run/bramble/lock && bramble_beat "$4" || return
    [ "$id" = "$1" ] || [ "\${at:-0}" -lt "\${bramble_opened%.*}\${bramble_opened#*.}" ] || return ${LATE}
    return 0
  fi
  exec 9>&-
  [ $code -eq 1 ] || return $code
  [ "$id" != "$1" ] || return 0
  if [ -n "$since" ] && [ -n "$until" ] && [ "/proc/$pid/fd/9" -ef /run/bramble/lock ]; then
    bramble_chain "$pid"
    orphaned=no
    [ "\${chain# }" = "$line" ] || orphaned=yes
    printf '%s\\n' "$pid" "$owner" "$since" "$orphaned" $((now - at)) $((until - now))
  fi
  return ${HELD}
}`)

/**
 * Takes the lock of a host, or keeps it, for a step of so many seconds. Has to run in the session's own shell, which
 * holds it as file descriptor 9: it is free again when that shell ends, and that does once its connection has gone and
 * the step that it is at is done. No child of the shell may keep the descriptor. All of it is in /run, which a reboot
 * empties; a user who may not write there locks nothing.
 *
 * @see flock(1), flock(2), proc(5)
 */
export function take({ id, owner, since }: RunLock, seconds: number): Sh {
  return lines(BEATING, TAKING, sh`bramble_take ${id} ${owner} ${since} ${lease(seconds)}`)
}

/**
 * Marks a command that reads an input, with all that it starts, as its run's: it is a child of sshd and none of the shell
 * that holds the lock. Who ends that shell finds it by this.
 */
export function marked(command: string): string {
  return `[ ! -w /run/bramble/lock ] || exec 8>>/run/bramble/lock\n${command}`
}

/** Ends a shell that holds the lock, and whatever it has started; so it can do no more harm if it was not dead. */
export function seize(pid: number): Sh {
  return sh`pid=${pid}
[ "/proc/$pid/fd/9" -ef /run/bramble/lock ] || exit 0
family=$pid grown=yes
for process in /proc/[0-9]*; do
  [ ! "$process/fd/8" -ef /run/bramble/lock ] || family="$family \${process#/proc/}"
done
while [ -n "$grown" ]; do
  grown=
  for stat in /proc/[0-9]*/stat; do
    read -r line <"$stat" || continue
    parent=\${line##*) }
    parent=\${parent#* }
    case " $family " in
      *" \${line%% *} "*) ;;
      *" \${parent%% *} "*) family="$family \${line%% *}" grown=yes ;;
    esac
  done 2>/dev/null
done
kill -TERM $family 2>/dev/null
tries=0
while [ $tries -lt 25 ] && kill -0 $family 2>/dev/null; do
  sleep 0.2
  tries=$((tries + 1))
done
kill -KILL $family 2>/dev/null || :`
}

/** Who holds the lock, from what `take` told; undefined while somebody is only taking it. */
export function holderOf({ stdout }: Answer): Holder | undefined {
  const [pid, owner = '', since = '', orphaned, quiet, left] = stdout.split('\n')
  if (left === undefined) return undefined
  return {
    pid: Number(pid),
    owner,
    since,
    orphaned: orphaned === 'yes',
    quiet: Number(quiet) / 100,
    left: Number(left) / 100,
  }
}

/**
 * What to do about a lock that somebody holds, after so many seconds of waiting for it. One whose connection is gone is
 * waited for, and so is one that has given no sign of life meanwhile; one that is silent for too long is ended.
 */
export function judge(
  holder: Holder | undefined,
  waited: number,
  force: boolean,
): 'end' | 'wait' | 'give up' {
  if (holder && (force || holder.left < 0)) return 'end'
  if (holder?.orphaned || waited < GRACE) return 'wait'
  const inStep = holder === undefined || holder.left > SILENCE_IN_INPUT
  return inStep || holder.quiet < waited ? 'give up' : 'wait'
}

/** Whether the lock was taken, but after another run had changed the host. */
export function isLate({ code }: Answer): boolean {
  return code === LATE
}

/** The lock cannot be had. */
export function lockError(answer: Answer, holder: Holder | undefined): TaskError {
  if (answer.code !== HELD) {
    return new TaskError('cannot take the lock of this host', {
      stderr: answer.stderr,
      expected: 'a lock in /run/bramble',
    })
  }
  return new TaskError('another run is at work on this host', {
    found: holder
      ? `${holder.owner}, since ${holder.since}, heard from ${Math.round(holder.quiet)} s ago`
      : 'somebody who did not say who it is',
    next:
      'Wait until it is done and run the same command again. To end it here and go on: ' +
      'the same command with --force-unlock.',
  })
}
