import { InputError, TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import { absolutePath } from './check.ts'

export interface RebootOptions extends Common {
  /** Why, in a word or two; for the title and the diff. */
  reason: string
  /** Exits with 0 if a reboot is needed, with 1 if not. Default: asks whether `marker` exists. */
  needed?: Sh
  /** A file below /run, which a reboot empties. Default `/run/reboot-required`, made by Debian's packages. */
  marker?: string
}

/**
 * For `reboot({ needed })`: a package asks for it, or a kernel was installed since the last boot.
 *
 * @see find(1) on -newerct
 * @example reboot({ reason: 'upgrade', needed: rebootNeeded() })
 */
export function rebootNeeded(): Sh {
  return sh`[ -e /run/reboot-required ] || {
read -r up _ </proc/uptime
[ -n "$(find /boot -maxdepth 1 -name 'vmlinuz-*' -newerct "@$(($(date +%s) - \${up%.*}))" 2>/dev/null)" ]
}`
}

/**
 * A reboot, if one is needed. That it took place is told by the kernel's boot_id.
 *
 * Errors: a reboot is still needed after it; `needed` exits with neither 0 nor 1.
 *
 * @see random(4) on boot_id, systemctl(1)
 * @example
 * reboot({ reason: 'memory cgroup', needed: sh`! grep -q memory /sys/fs/cgroup/cgroup.controllers` })
 */
export function reboot(options: RebootOptions): Resource {
  const marker = absolutePath(options.marker ?? '/run/reboot-required')
  if (!marker.startsWith('/run/')) {
    throw new InputError('the mark for a reboot has to vanish with it', {
      expected: 'a path below /run',
      found: marker,
    })
  }
  return resource(
    {
      title: `reboot (${options.reason})`,
      restsOn: ['/boot'],
      probe: sh`(\n${options.needed ?? sh`[ -e ${marker} ]`}\n) >/dev/null`,
      plan(seen) {
        if (seen.code === 1) return undefined
        if (seen.code !== 0) {
          throw new TaskError('cannot tell whether a reboot is needed', {
            expected: 'exit code 0 or 1',
            found: `exit code ${seen.code}`,
          })
        }
        return { diff: `+ reboot: ${options.reason}`, apply: sh`systemctl --no-block reboot`, reboots: true }
      },
    },
    options,
  )
}
