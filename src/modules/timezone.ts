import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { matching, printed } from './check.ts'
import { replaced } from './diff.ts'

export interface TimezoneOptions extends Common {
  /** A name from the tz database: `Europe/Berlin`. */
  name: string
}

/**
 * The system's time zone.
 *
 * Errors: the tz database has no such zone.
 *
 * @see localtime(5), timedatectl(1)
 * @example timezone({ name: 'Europe/Berlin' })
 */
export function timezone(options: TimezoneOptions): Resource {
  const name = matching(options.name, /^[A-Z]\w*(\/[\w+-]+)*$/, 'a time zone such as Europe/Berlin')
  return resource(
    {
      title: `time zone ${name}`,
      // Without the link the zone is UTC: nothing to fail at.
      probe: sh`readlink /etc/localtime || :`,
      plan(seen) {
        const found = printed(seen, '/etc/localtime')
          .trim()
          .replace(/^.*\/zoneinfo\//, '')
        if (found === name) return undefined
        return { diff: replaced(found || 'not set', name), apply: sh`timedatectl set-timezone ${name}` }
      },
    },
    options,
  )
}
