import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Change } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { ownership } from './attributes.ts'

/** More than this does not travel inside a script, and is compared by its hash. */
export const LARGE = 65536

export interface Write {
  path: string
  content: Buffer
  /** A name or a number. */
  owner: string
  /** A name or a number. Default: that of whoever writes. */
  group?: string | undefined
  mode: string
  /** If the path is a symbolic link, write the file that it points to. */
  follow?: boolean
  validate?: ((candidate: Sh) => Sh) | undefined
}

/**
 * Writes a file so that nobody ever sees half of it, not even after a power cut: a temporary file in the same
 * directory gets owner, mode and content, is flushed to the disk, and is renamed. Any failure before the rename
 * leaves the old file as it was, and no temporary file.
 *
 * @see rename(2), sync(1)
 */
export function write({
  path,
  content,
  owner,
  group,
  mode,
  follow,
  validate,
}: Write): Pick<Change, 'apply' | 'input'> {
  // The name is the same each time, so that a power cut does not leave one more file behind each time.
  const temporary = `.bramble-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`
  const candidate = raw('"$temporary"')
  // Joined by && because a caller may run this where `set -e` has no effect (in an `if`, before `||`).
  const apply = lines(
    sh`(path=${path}`,
    ...(follow ? [raw(`[ ! -L "$path" ] || path=$(readlink -f -- "$path") || exit`)] : []),
    sh`temporary=\${path%/*}/${temporary}`,
    raw(`trap 'rm -f -- "$temporary"' EXIT`),
    raw(`trap 'exit 143' HUP INT TERM`),
    raw(`rm -f -- "$temporary" && umask 077 && set -C || exit`),
    fill(content),
    sh`chown ${ownership({ owner, group })} ${candidate} && chmod ${mode} ${candidate} || exit`,
    ...(validate ? [guard(path, validate(candidate))] : []),
    raw(`sync "$temporary" && mv -T -f -- "$temporary" "$path" && trap - EXIT)`),
  )
  return content.length > LARGE ? { apply, input: () => Readable.from([content]) } : { apply }
}

/** A shell's own printf says "I/O error" when the disk is full: what df says tells why. */
const unwritten = `{ code=$?; df -P -- "\${path%/*}" >&2; exit "$code"; }`

const CUT_SHORT = 'the content did not arrive whole: the connection was lost'

function fill(content: Buffer): Sh {
  if (content.length > LARGE) {
    // A connection that is lost ends the input, too: what came until then must not take the file's place.
    return sh`cat >"$temporary" || ${raw(unwritten)}
[ "$(wc -c <"$temporary")" -eq ${content.length} ] || { echo ${CUT_SHORT} >&2; exit 1; }`
  }
  const text = textOf(content)
  if (text !== undefined) return sh`printf %s ${text} >"$temporary" || ${raw(unwritten)}`
  return raw(
    `base64 -d >"$temporary" <<'END' || ${unwritten}\n${content.toString('base64').replace(/.{76}/g, '$&\n')}\nEND`,
  )
}

/** Bytes as text, unless they are none: a probe's output and a script can carry text only. */
export function textOf(content: Buffer): string | undefined {
  const text = content.toString('utf8')
  const lossless =
    !text.includes('\0') && !text.includes('\uFFFD') && Buffer.byteLength(text) === content.length
  return lossless ? text : undefined
}

function guard(path: string, command: Sh): Sh {
  return sh`(\n${command}\n) </dev/null || { echo ${`the new ${path} is not valid`} >&2; exit 1; }`
}
