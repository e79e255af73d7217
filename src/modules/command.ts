import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { absolutePath } from './check.ts'

interface CommandBase extends Common {
  title: string
  /** What to do; runs as root in a POSIX `sh` with `set -e`. */
  run: Sh
  /** Files, or directories of files, that decide whether there is something to do: for check mode. Default none. */
  restsOn?: readonly string[]
}

/** One of the two says when there is nothing to do; it has to be so after the command, too. */
export type CommandOptions = CommandBase &
  (
    | {
        /** Exits with 0 if it is already so. It must not change anything. */
        unless: Sh
        creates?: never
      }
    | {
        /** A path that exists afterwards. */
        creates: string
        unless?: never
      }
  )

/**
 * A command that is run unless it is already so.
 *
 * @example
 * command({ title: 'swap off', run: sh`dphys-swapfile swapoff`, unless: sh`! grep -q ^/var/swap /proc/swaps` })
 */
export function command(options: CommandOptions): Resource {
  const already = options.unless ?? sh`[ -e ${absolutePath(options.creates)} ]`
  return resource(
    {
      title: options.title,
      probe: sh`(\n${already}\n) >/dev/null`,
      restsOn: (options.restsOn ?? []).map(absolutePath),
      plan: (seen) =>
        seen.code === 0 ? undefined : { diff: `+ ${redact(options.run.text)}`, apply: options.run },
    },
    options,
  )
}
