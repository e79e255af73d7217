import { InputError, TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { absolutePath, cutLine, printed, wordText } from './check.ts'
import { replaced } from './diff.ts'

export interface LinkOptions extends Common {
  path: string
  /** What the link says; relative to the link's directory if it does not begin with `/`. It need not exist. */
  target: string
}

/**
 * A symbolic link. One that points elsewhere is replaced in one step; anything else in its place is an error.
 *
 * @see symlink(7)
 * @example link({ path: '/etc/localtime', target: '/usr/share/zoneinfo/Europe/Berlin' })
 */
export function link(options: LinkOptions): Resource {
  const path = absolutePath(options.path)
  const target = wordText(options.target, 'a path')
  if (target === '') throw new InputError('a link needs a target', { expected: 'a path', found: "''" })
  return resource(
    {
      title: `link ${path}`,
      writes: path,
      probe: sh`if [ -L ${path} ]; then echo link; exec readlink -n ${path}; elif [ -e ${path} ]; then echo other; else echo absent; fi`,
      plan(seen) {
        const [kind, found] = cutLine(printed(seen, path))
        if (kind === 'link' && found === target) return undefined
        if (kind === 'other') {
          throw new TaskError(`${path} is not a symbolic link`, {
            expected: `a symbolic link to ${target}, or nothing`,
            found: 'a file or directory',
            next: `remove it first, with absent({ path: ${JSON.stringify(path)} })`,
          })
        }
        const temporary = sh`\${path%/*}/.bramble-link`
        const apply = sh`path=${path}
rm -f -- "${temporary}" && ln -s -- ${target} "${temporary}" && mv -T -f -- "${temporary}" "$path"`
        return { diff: replaced(kind === 'link' ? `link to ${found}` : 'absent', `link to ${target}`), apply }
      },
    },
    options,
  )
}
