import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh, type Sh, type ShValue } from '../playbook/sh.ts'
import type { Secret } from '../secrets/secret.ts'
import { absolutePath, cutLine, matching, printed } from './check.ts'
import { replaced } from './diff.ts'
import { NAME } from './group.ts'

export interface UserOptions extends Common {
  name: string
  /** The user's number. Default: left as it is, or the next free one. */
  uid?: number
  /** The user's primary group. Default: left as it is, or one of the user's own name. */
  group?: string
  /** Groups to be in besides; those not named here are kept. */
  groups?: readonly string[]
  /** Login shell. Default: left as it is, or the system's default. */
  shell?: string
  /** Home directory. It is made with a new user, and not moved. Default: left as it is. */
  home?: string
  /** The password as a hash, which `openssl passwd -6` prints; see crypt(5). Default: left as it is, or none. */
  passwordHash?: Secret
  /** Take the number from the range for system users, and make no home. Default false. */
  system?: boolean
  /** Default `present`. */
  state?: 'present' | 'absent'
}

/**
 * A local user. `absent` leaves the home directory.
 *
 * Errors: a group does not exist; the number is taken; with `absent`, the user has processes running.
 *
 * @see useradd(8), usermod(8), userdel(8), chpasswd(8), getent(1)
 * @example user({ name: 'pi', groups: ['docker'], shell: '/bin/bash' })
 */
export function user(options: UserOptions): Resource {
  const { uid, groups = [], system = false, state = 'present' } = options
  const name = matching(options.name, NAME, 'a name for a user')
  const shell = options.shell === undefined ? undefined : absolutePath(options.shell)
  const home = options.home === undefined ? undefined : absolutePath(options.home)
  const asked = [...(options.group === undefined ? [] : [options.group]), ...groups]
  asked.forEach((one) => matching(one, NAME, 'a name for a group'))
  const password = passwordOf(name, options.passwordHash)
  const inGroups = asked.length === 0 ? sh`:` : sh`getent group ${[...new Set(asked)]} || [ $? -eq 2 ]`
  return resource(
    {
      title: `${state === 'absent' ? 'no ' : ''}user ${name}`,
      // getent exits with 2 if there is none.
      probe:
        state === 'absent'
          ? sh`getent passwd ${name} || [ $? -eq 2 ]`
          : sh`getent passwd ${name} || { [ $? -eq 2 ] && echo; } || exit\n${password.probe}\n${inGroups}`,
      plan(seen) {
        const [entry, more] = cutLine(printed(seen, `user ${name}`))
        const { set, rest } = password.read(more)
        if (state === 'absent')
          return entry === '' ? undefined : { diff: `- user ${name}`, apply: sh`userdel ${name}` }
        const [found, , number, gid, , foundHome, foundShell] = entry.split(':')
        const known = parseGroups(rest)
        const member = (one: string): boolean => {
          const group = known.get(one)
          return group !== undefined && (group.gid === gid || group.members.includes(name))
        }
        const wrong: { from: string; to: string; words: ShValue[] }[] = []
        const want = (
          label: string,
          from: string | undefined,
          to: string | number | undefined,
          flag: string,
        ): void => {
          if (to !== undefined && from !== String(to))
            wrong.push({ from: `${label} ${from || 'none'}`, to: `${label} ${to}`, words: [flag, to] })
        }
        want('uid', number, uid, '-u')
        if (options.group !== undefined && (!found || known.get(options.group)?.gid !== gid))
          want('group', gid, options.group, '-g')
        want('home', foundHome, home, '-d')
        want('shell', foundShell, shell, '-s')
        const missing = groups.filter((one) => !found || !member(one))
        if (missing.length > 0)
          wrong.push({
            from: `not in ${missing.join(', ')}`,
            to: `in ${missing.join(', ')}`,
            words: [found ? '-aG' : '-G', missing.join(',')],
          })
        if (set.length > 0) wrong.push({ from: 'another password', to: 'password ***', words: [] })
        const words = wrong.flatMap((one) => one.words)
        if (!found) {
          return {
            diff: `+ user ${[name, ...wrong.map(({ to }) => to)].join(', ')}`,
            apply: lines(sh`useradd ${system ? '-r' : '-m'} ${words} ${name}`, ...set),
          }
        }
        if (wrong.length === 0) return undefined
        return {
          diff: replaced(
            `user ${name}: ${wrong.map(({ from }) => from).join(', ')}`,
            `user ${name}: ${wrong.map(({ to }) => to).join(', ')}`,
          ),
          apply: lines(...(words.length > 0 ? [sh`usermod ${words} ${name}`] : []), ...set),
        }
      },
    },
    options,
  )
}

/** The password by its hash: compared on the host, so that none leaves it, and set through a pipe. */
function passwordOf(
  name: string,
  secret?: Secret,
): { probe: Sh; read: (text: string) => { set: Sh[]; rest: string } } {
  if (!secret) return { probe: sh`:`, read: (rest) => ({ set: [], rest }) }
  const hash = matching(secret.reveal(), /^[^:\s]+$/, 'a hash of a password')
  const set = sh`printf '%s:%s\\n' ${name} ${hash} | chpasswd -e`
  return {
    probe: sh`case $(getent shadow ${name}) in ${`${name}:${hash}:`}*) echo so ;; *) echo other ;; esac`,
    read(text) {
      const [compared, rest] = cutLine(text)
      return { set: compared === 'so' ? [] : [set], rest }
    },
  }
}

function parseGroups(stdout: string): Map<string, { gid: string; members: string[] }> {
  const entries = stdout.split('\n').filter((entry) => entry !== '')
  return new Map(
    entries.map((entry) => {
      const [name = '', , gid = '', members = ''] = entry.split(':')
      return [name, { gid, members: members.split(',') }]
    }),
  )
}
