import { InputError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { matching, printed } from './check.ts'
import { replaced } from './diff.ts'

export interface GroupOptions extends Common {
  name: string
  /** The group's number. Default: left as it is, or the next free one. */
  gid?: number
  /** Take the number from the range for system groups. Default false. */
  system?: boolean
  /** Default `present`. */
  state?: 'present' | 'absent'
}

/** What a user or a group may be called. */
export const NAME = /^[a-z_][a-z0-9_-]{0,31}$/

/**
 * A local group.
 *
 * Errors: the number is taken; with `absent`, it is some user's primary group.
 *
 * @see groupadd(8), groupmod(8), groupdel(8), getent(1)
 * @example group({ name: 'docker', system: true })
 */
export function group(options: GroupOptions): Resource {
  const { gid, system = false, state = 'present' } = options
  const name = matching(options.name, NAME, 'a name for a group')
  if (gid !== undefined && !Number.isInteger(gid))
    throw new InputError('a group number is an integer', { found: String(gid) })
  const wanted = `group ${name}${gid === undefined ? '' : ` ${gid}`}`
  return resource(
    {
      title: `${state === 'absent' ? 'no ' : ''}group ${name}`,
      // getent exits with 2 if there is none.
      probe: sh`getent group ${name} || [ $? -eq 2 ]`,
      plan(seen) {
        const [found, , number] = printed(seen, `group ${name}`).trim().split(':')
        if (state === 'absent')
          return found ? { diff: `- group ${name}`, apply: sh`groupdel ${name}` } : undefined
        const numbered = gid === undefined ? [] : ['-g', gid]
        if (!found) {
          return { diff: `+ ${wanted}`, apply: sh`groupadd ${system ? ['-r'] : []} ${numbered} ${name}` }
        }
        if (gid === undefined || Number(number) === gid) return undefined
        return { diff: replaced(`group ${name} ${number}`, wanted), apply: sh`groupmod ${numbered} ${name}` }
      },
    },
    options,
  )
}
