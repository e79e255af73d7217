import { InputError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { absolutePath, printed } from './check.ts'

/**
 * Nothing at this path: a file, a link or a whole directory is removed. What is mounted below it is left alone,
 * which is an error then.
 *
 * Errors: the path is `/`, directly below it, or contains `..`.
 *
 * @see rm(1)
 * @example absent({ path: '/etc/nginx/sites-enabled/default' })
 */
export function absent(options: { path: string } & Common): Resource {
  const path = absolutePath(options.path)
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.length < 2 || parts.includes('..') || parts.includes('.')) {
    throw new InputError('this is not a path to remove', {
      expected: 'a path at least two levels below /, without . and ..',
      found: JSON.stringify(path),
    })
  }
  return resource(
    {
      title: `absent ${path}`,
      writes: path,
      probe: sh`if [ -L ${path} ] || [ -e ${path} ]; then echo present; else echo absent; fi`,
      plan: (seen) =>
        printed(seen, path) === 'absent\n'
          ? undefined
          : { diff: `- ${path}`, apply: sh`rm -rf --one-file-system --preserve-root=all -- ${path}` },
    },
    options,
  )
}
