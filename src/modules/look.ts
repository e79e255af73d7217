import { sh, type Sh } from '../playbook/sh.ts'
import { cutLine } from './check.ts'
import { LARGE } from './write.ts'

export interface Attributes {
  owner: string
  group: string
  mode: string
}

/** What is at a path. */
export interface Look {
  kind: 'absent' | 'link' | 'file' | 'directory' | 'other'
  mode: string
  uid: string
  gid: string
  user: string
  group: string
  /** Bytes. */
  size: number
  /** What the probe printed after the first line. */
  rest: string
}

/**
 * A probe that prints one line on what is at a path, and then, if that is a regular file, what `then` prints of it.
 * With `follow`, a symbolic link stands for what it points to.
 */
export function look(path: string, then: Sh, follow = false): Sh {
  const link = sh`[ -L ${path} ]; then echo link`
  const stat = sh`[ -e ${path} ]; then
found=$(stat ${follow ? ['-L'] : []} -c '%f %u %g %U %G %s' ${path}) || exit
echo "$found"
[ ! -f ${path} ] || ${then}`
  return follow
    ? sh`if ${stat}\nelif ${link}; else echo absent; fi`
    : sh`if ${link}; elif ${stat}\nelse echo absent; fi`
}

// In what follows `exec` saves a fork: a probe has a subshell to itself.

/** Prints a file unless it is large. */
export function small(path: string): Sh {
  return sh`[ "\${found##* }" -gt ${LARGE} ] || exec cat ${path}`
}

/** Prints a file's hash, if the file has this size. */
export function hashed(path: string, size: number): Sh {
  return sh`[ "\${found##* }" -ne ${size} ] || exec sha256sum <${path}`
}

export function parseLook(stdout: string): Look {
  const [first, rest] = cutLine(stdout)
  const [type = '', uid = '', gid = '', user = '', group = '', size = '-1'] = first.split(' ')
  const common = { uid, gid, user, group, size: Number(size), rest }
  if (type === 'absent' || type === 'link') return { ...common, kind: type, mode: '' }
  const bits = Number.parseInt(type, 16)
  const kind =
    (bits & 0o170000) === 0o100000 ? 'file' : (bits & 0o170000) === 0o040000 ? 'directory' : 'other'
  return { ...common, kind, mode: (bits & 0o7777).toString(8).padStart(4, '0') }
}

/** What differs, as `- found` and `+ wanted` lines; empty if nothing does. Owner and group may be names or numbers. */
export function attributesDiff(found: Look, wanted: Attributes): string {
  const same =
    [found.uid, found.user].includes(wanted.owner) &&
    [found.gid, found.group].includes(wanted.group) &&
    found.mode === wanted.mode
  if (same) return ''
  return `- owner ${found.user}:${found.group} mode ${found.mode}\n+ owner ${wanted.owner}:${wanted.group} mode ${wanted.mode}`
}

/** Sets owner and mode; in this order, because a change of owner clears the set-user-ID bit. */
export function setAttributes(path: string, { owner, group, mode }: Attributes): Sh {
  return sh`chown ${`${owner}:${group}`} ${path} && chmod ${mode} ${path}`
}
