import { InputError, TaskError } from '../errors.ts'
import { resource, type Change, type Common, type Resource } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { matching, printed } from './check.ts'
import { replaced, unified } from './diff.ts'
import { NAME } from './group.ts'
import { publicKeys, withKeys, withoutKeys } from './public-key.ts'
import { write } from './write.ts'

export interface AuthorizedKeyOptions extends Omit<Common, 'becomeUser'> {
  /** Whose `.ssh/authorized_keys`. */
  user: string
  /** As in a `.pub` file, one a line, with options in front or without: `restrict,pty ssh-ed25519 AAAA… me@laptop`. */
  keys: string | readonly string[]
  /** Remove all other keys; comments stay. Default false. */
  exclusive?: boolean
  /** Default `present`. */
  state?: 'present' | 'absent'
}

/**
 * Keys that let into an account by SSH, each once; `.ssh` with mode 0700 and the file with 0600. A key is known by
 * its type and body: one that is there already keeps its comment, and its options unless others are given.
 *
 * All is looked at and done as the user: whatever the user has put there, such as a link to a file of root's, leads
 * to nothing that the user may not do.
 *
 * Errors: a key that is none or not whole; no such user or home directory; `.ssh` or the file is a link, belongs to
 * somebody else, or is closed to its own owner.
 *
 * @see sshd(8), section AUTHORIZED_KEYS FILE FORMAT
 * @example
 * authorizedKey({
 *   user: 'pi',
 *   keys: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKIeGYHqgTP8h6DINz/hQs8EuUHc97NSRWnkVGHEISFC me@laptop',
 * })
 */
export function authorizedKey(options: AuthorizedKeyOptions): Resource {
  const { user, keys, exclusive = false, state = 'present', ...common } = options
  matching(user, NAME, 'a name for a user')
  const wanted = [keys].flat().flatMap(publicKeys)
  if (wanted.length === 0) throw new InputError('no key given', { expected: 'one key or more' })
  if (exclusive && state === 'absent') {
    throw new InputError('exclusive says which keys stay: it does not go with absent', {
      next: 'leave one of them out',
    })
  }
  const edit = (text: string): string =>
    state === 'absent' ? withoutKeys(text, wanted) : withKeys(text, wanted, exclusive)
  return resource(
    {
      title: `${state === 'absent' ? 'no ' : ''}authorized keys of ${user}`,
      probe,
      plan(seen) {
        const found = read(printed(seen, `the authorized keys of ${user}`), user)
        const after = edit(found.text)
        return state === 'absent' && after === found.text ? undefined : bring(found, after)
      },
    },
    { ...common, becomeUser: user },
  )
}

/** Who this is and where its home; what is at .ssh and at the file, links not followed; what is in the file. */
const probe = raw(`id -u && printf '%s\\n' "$HOME" || exit
set -- "$HOME" "$HOME/.ssh" "$HOME/.ssh/authorized_keys"
for path do stat -c '%u %a %F' -- "$path" 2>/dev/null || echo; done
[ -L "$3" ] || [ ! -f "$3" ] || exec cat -- "$3"`)

interface Found {
  uid: string
  directory: string
  /** Its mode; undefined if it is not there. */
  directoryMode: string | undefined
  file: string
  fileMode: string | undefined
  text: string
}

function read(stdout: string, user: string): Found {
  const [uid = '', home = '', atHome = '', atDirectory = '', atFile = '', ...rest] = stdout.split('\n')
  const text = rest.join('\n')
  const [directory, file] = [`${home}/.ssh`, `${home}/.ssh/authorized_keys`]
  if (atHome === '') {
    throw new TaskError(`the home directory of ${user} is not there`, {
      expected: `a directory ${home}`,
      next: `make it, with directory({ path: ${JSON.stringify(home)}, owner: ${JSON.stringify(user)} })`,
    })
  }
  if (/[\0\uFFFD]/.test(text))
    throw new TaskError(`${file} is not a text file`, { next: 'look at it by hand' })
  const directoryMode = ownMode(directory, atDirectory, uid, 'directory')
  return { uid, directory, directoryMode, file, fileMode: ownMode(file, atFile, uid, 'regular'), text }
}

/** The mode of what is there. Errors (TaskError): it is not the user's own, or something else than it should be. */
function ownMode(path: string, seen: string, uid: string, kind: string): string | undefined {
  const [owner, mode = '', ...words] = seen.split(' ')
  if (owner === '') return undefined
  const bits = kind === 'directory' ? '7' : '[67]'
  const open = uid === '0' || new RegExp(`^[0-7]?${bits}[0-7]{2}$`).test(mode)
  if (words[0] === kind && owner === uid && open) return mode
  throw new TaskError(`${path} is not as the user's own has to be`, {
    expected: `a ${kind === 'directory' ? kind : 'regular file'} of user number ${uid}, open to that user`,
    found: `${words.join(' ')} of user number ${owner}, mode ${mode}`,
    next: 'see how it came there; mend or remove it by hand',
  })
}

function bring(
  { uid, directory, directoryMode, file, fileMode, text }: Found,
  after: string,
): Change | undefined {
  const diff: string[] = []
  const script: Sh[] = []
  if (directoryMode !== '700') {
    diff.push(replaced(`${directory} ${shown(directoryMode)}`, `${directory} mode 0700`))
    // Five digits: with four, chmod would leave a set-group-ID bit as it is.
    script.push(
      directoryMode === undefined ? sh`mkdir -m 0700 -- ${directory}` : sh`chmod 00700 -- ${directory}`,
    )
  }
  if (fileMode !== undefined && fileMode !== '600') {
    diff.push(replaced(`${file} ${shown(fileMode)}`, `${file} mode 0600`))
    if (after === text) script.push(sh`chmod 0600 -- ${file}`)
  }
  if (after === text)
    return diff.length === 0 ? undefined : { diff: diff.join('\n'), apply: lines(...script) }
  diff.push(unified(file, fileMode === undefined ? undefined : text, after))
  const { apply, ...more } = write({ path: file, content: Buffer.from(after), owner: uid, mode: '0600' })
  return { diff: diff.join('\n'), apply: lines(...script, apply), ...more }
}

function shown(mode: string | undefined): string {
  return mode === undefined ? 'absent' : `mode ${mode.padStart(4, '0')}`
}
