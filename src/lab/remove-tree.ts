import { readFileSync, rmSync } from 'node:fs'
import { BrambleError } from '../errors.ts'
import { run } from './run.ts'

/**
 * Removes a directory in which an interrupted build may have left mounts. They are taken off first: what is mounted
 * there can be this computer's own /dev/shm, and removing must never walk into it.
 *
 * Errors: BrambleError when something stays mounted; nothing is removed then.
 *
 * @see proc_pid_mountinfo(5)
 */
export async function removeTree(path: string): Promise<void> {
  // The last one mounted comes off first.
  for (const mount of mountsBelow(path).toReversed()) await run(['umount', '--', mount])
  const left = mountsBelow(path)
  if (left.length > 0) {
    throw new BrambleError(`${path} cannot be removed: something is mounted in it`, {
      found: left.join('\n'),
      next: 'unmount it by hand: umount PATH',
    })
  }
  rmSync(path, { recursive: true, force: true })
}

function mountsBelow(path: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescape(line.split(' ')[4] ?? ''))
    .filter((mount) => mount === path || mount.startsWith(`${path}/`))
}

/** Blanks and backslashes are three octal digits there. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
