import { batched, type Batch } from '../playbook/batch.ts'
import type { Seen } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { cutLine } from './check.ts'
import { LARGE } from './write.ts'

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

interface Way {
  /** A symbolic link stands for what it points to. */
  follow: boolean
  /** What prints a regular file, if any; all files of a bundle are printed by one process. */
  print?: 'cat' | 'b2sum'
  /** Larger files are not printed. */
  limit?: number
}

const WAYS = {
  attributes: way({ follow: true }),
  text: way({ follow: false, print: 'cat', limit: LARGE }),
  hash: way({ follow: false, print: 'b2sum' }),
  edit: way({ follow: true, print: 'cat' }),
}

/**
 * A probe that prints one line on what is at a path. After it comes, for a regular file: with `text`, what is in it
 * unless it is large; with `hash`, its hash; with `edit`, what is in it. `attributes` and `edit` follow a link.
 */
export function look(path: string, how: keyof typeof WAYS): Sh {
  const batch = WAYS[how]
  return batched(batch, path, batch.merge([path]))
}

function way({ follow, print, limit = Number.MAX_SAFE_INTEGER }: Way): Batch<string> {
  const link = follow ? '[ ! -e "$path" ] && [ -L "$path" ]' : '[ -L "$path" ]'
  return {
    // Whether there is something is asked by the shell itself; then one stat and one cat do for all paths.
    // `exec` saves a fork: a probe has a subshell to itself.
    merge: (paths) =>
      lines(
        sh`set -- ${paths}`,
        raw(`kinds= count=$#
for path do
if ${link}; then kinds=$kinds:link; elif [ -e "$path" ]; then kinds=$kinds:there; set -- "$@" "$path"; else kinds=$kinds:absent; fi
done
shift $count
echo "$kinds"
[ $# -gt 0 ] || exit 0
found=$(stat -L -c '%f %u %g %U %G %s' -- "$@") || exit
printf '%s\\n' "$found"`),
        raw(
          print === undefined
            ? ''
            : `IFS='\n'
for line in $found; do
path=$1; shift
case $line in 8???\\ *) [ "\${line##* }" -gt ${limit} ] || set -- "$@" "$path";; esac
done
[ $# -eq 0 ] || exec ${print} -- "$@"`,
        ),
      ),
    split: ({ code, stdout }, paths) => (code === 0 ? split(stdout, paths.length, print, limit) : undefined),
  }
}

/** What each path's own probe would have printed; undefined if what was printed does not add up. */
function split(stdout: string, count: number, print: Way['print'], limit: number): Seen[] | undefined {
  const [first, rest] = cutLine(stdout)
  const kinds = first.split(':').slice(1)
  let bytes = Buffer.from(rest)
  const takeLine = (): string => {
    const end = bytes.indexOf('\n') + 1 || bytes.length
    return take(end)
  }
  const take = (length: number): string => {
    const part = bytes.subarray(0, length).toString()
    bytes = bytes.subarray(length)
    return part
  }
  const found = kinds.map((kind) => (kind === 'there' ? takeLine() : ''))
  const seen = kinds.map((kind, index): Seen => {
    const line = found[index] ?? ''
    const size = Number(line.trim().split(' ').at(-1))
    const printed = print !== undefined && line.startsWith('8') && size <= limit
    const content = !printed ? '' : print === 'cat' ? take(size) : takeLine()
    return { code: 0, stdout: `:${kind}\n${line}${content}` }
  })
  return kinds.length === count && bytes.length === 0 ? seen : undefined
}

/** Reads what a `look` probe printed about its path. */
export function parseLook(stdout: string): Look {
  const [kind, more] = cutLine(stdout)
  const [first, rest] = kind === ':there' ? cutLine(more) : ['', more]
  const [type = '', uid = '', gid = '', user = '', group = '', size = '-1'] = first.split(' ')
  const common = { uid, gid, user, group, size: Number(size), rest }
  if (kind !== ':there') return { ...common, kind: kind === ':link' ? 'link' : 'absent', mode: '' }
  const bits = Number.parseInt(type, 16)
  const named =
    (bits & 0o170000) === 0o100000 ? 'file' : (bits & 0o170000) === 0o040000 ? 'directory' : 'other'
  return { ...common, kind: named, mode: (bits & 0o7777).toString(8).padStart(4, '0') }
}
