import { InputError, TaskError } from '../errors.ts'
import { rebatched } from './batch.ts'
import type { Resource, Seen } from './resource.ts'
import { lines, raw, sh, type Sh } from './sh.ts'

/** EX_NOUSER of sysexits(3). */
const noUser = 67

/**
 * A script as root that runs another one as some user: in a shell and an environment of the user's own (HOME, USER,
 * PATH and so on, but no login session), in the home directory or else in /. Its stdin is that of the whole.
 *
 * The script goes through a pipe from the shell's own printf: arguments have a limit of 128 KB, and are in the list
 * of processes for all to see. setpriv does not run PAM, as runuser and sudo do, which log each call.
 *
 * Errors (InputError): what cannot be the name of a user.
 *
 * @see setpriv(1), environ(7)
 */
export function asUser(user: string, script: Sh): Sh {
  if (!/^[A-Za-z_][\w.-]*\$?$/.test(user)) {
    throw new InputError('becomeUser is not the name of a user', {
      expected: 'a name such as pi',
      found: JSON.stringify(user),
    })
  }
  const shell = raw(
    `'script=$(cat <&3) && exec 3<&- && { cd 2>/dev/null || cd /; } && unset OLDPWD && eval "$script"'`,
  )
  return sh`id -u -- ${user} >/dev/null 2>&1 || { echo ${missing(user)}; exit ${noUser}; }
{ printf %s ${script.text} | setpriv --reuid ${user} --regid "$(id -g -- ${user})" --init-groups --reset-env -- /bin/sh -c ${shell} 3<&0 <&4 4<&-; } 4<&0`
}

/** A change as some user; it ends at the first command that fails. Errors as `asUser`. */
export function applyAs(user: string, change: Sh): Sh {
  return asUser(user, lines(raw('set -e'), change))
}

/** What looks and changes as a user. Errors (TaskError): the host has no such user. */
export function becoming<Parts extends Pick<Resource, 'probe' | 'plan'>>(user: string, parts: Parts): Parts {
  return {
    ...parts,
    probe: rebatched(parts.probe, user, (script) => asUser(user, script)),
    plan(seen) {
      if (isMissing(seen, user)) {
        throw new TaskError(missing(user), {
          expected: `a user ${user} to run this as`,
          next: `make it first, with user({ name: ${JSON.stringify(user)} }), or correct the name`,
        })
      }
      const change = parts.plan(seen)
      return change && { ...change, apply: applyAs(user, change.apply) }
    },
  }
}

function missing(user: string): string {
  return `there is no user ${user} on this host`
}

function isMissing({ code, stdout }: Seen, user: string): boolean {
  return code === noUser && stdout === `${missing(user)}\n`
}
