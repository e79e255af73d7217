import { TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh } from '../playbook/sh.ts'
import { attributesDiff, ownership, setAttributes, wantedAttributes } from './attributes.ts'
import { absolutePath, printed } from './check.ts'
import { look, parseLook } from './look.ts'

export interface DirectoryOptions extends Common {
  path: string
  /** A user's name or number. Default: `becomeUser`, which is `root`. */
  owner?: string
  /** A group's name or number. Default `root`; with `becomeUser`, left to the system. */
  group?: string
  /** Octal. Default `0755`. */
  mode?: string
}

/**
 * A directory with this owner and mode, and the directories above it (made with mode 0755). A symbolic link
 * to a directory will do.
 *
 * Errors: there is something else at the path; owner or group do not exist.
 *
 * @see mkdir(1)
 * @example directory({ path: '/srv/share', owner: 'www-data', mode: '2775' })
 */
export function directory(options: DirectoryOptions): Resource {
  const path = absolutePath(options.path)
  const attributes = wantedAttributes(options, '0755')
  const wanted = `directory, owner ${ownership(attributes)} mode ${attributes.mode}`
  return resource(
    {
      title: `directory ${path}`,
      probe: look(path, 'attributes'),
      plan(seen) {
        const found = parseLook(printed(seen, path))
        if (found.kind === 'absent') {
          const make = sh`(umask 022 && mkdir -p ${path})`
          return { diff: `- absent\n+ ${wanted}`, apply: lines(make, setAttributes(path, attributes)) }
        }
        if (found.kind !== 'directory') throw inTheWay(path, found.kind)
        const diff = attributesDiff(found, attributes)
        return diff === '' ? undefined : { diff, apply: setAttributes(path, attributes) }
      },
    },
    options,
  )
}

function inTheWay(path: string, kind: string): TaskError {
  return new TaskError(`${path} is not a directory`, {
    expected: 'a directory, or nothing',
    found:
      kind === 'link' ? 'a symbolic link that leads nowhere' : kind === 'file' ? 'a file' : 'a special file',
    next: `remove it first, with absent({ path: ${JSON.stringify(path)} }), or choose another path`,
  })
}
