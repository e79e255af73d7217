import { InputError, TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { contentStream, type ContentFile } from '../stack/content.ts'
import { absolutePath } from './check.ts'

export interface ContentOptions extends Common {
  /** A directory on the host. */
  path: string
  /** What `readContent` found in one on this computer. */
  files: readonly ContentFile[]
  /** Remove what else is there. Default: it stays. */
  remove?: boolean
}

/** Below the directory, as only there files can be renamed into it. */
const staging = '.bramble-push'

/**
 * The files of a site, from a directory on this computer. Those that differ are sent in one go, readable for all; when
 * the last has come each takes its place by a rename, pages after what they refer to, and others are removed at the end.
 *
 * Errors: InputError for a `remove` that leaves no `index.html`; the directory is not there; a file would take the place
 * of a directory, or the other way round.
 *
 * @see rename(2)
 * @example content({ path: '/srv/nfs/share', files: await readContent('public') })
 */
export function content(options: ContentOptions): Resource {
  const { files, remove = false } = options
  const path = absolutePath(options.path)
  if (remove && !files.some((file) => file.path === 'index.html')) {
    throw new InputError('nothing would be left to show', { expected: 'an index.html among the files' })
  }
  return resource(
    {
      title: `content of ${path}`,
      probe: sh`cd -- ${path} 2>/dev/null || exit
find . -path ${`./${staging}`} -prune -o -type f -exec b2sum -z -- {} + -o ! -type d -printf 'other  %p\\0'`,
      plan({ code, stdout }) {
        if (code !== 0) {
          throw new TaskError(`there is no ${path}`, {
            next: 'bramble apply makes the share; then this again',
          })
        }
        const there = new Map(stdout.split('\0').filter(Boolean).map(readLine))
        const wanted = new Set(files.map((file) => file.path))
        const lacking = files.filter((file) => there.get(file.path) !== file.hash)
        const removed = remove ? [...there.keys()].filter((name) => !wanted.has(name)).toSorted() : []
        if (lacking.length === 0 && removed.length === 0) return undefined
        return {
          diff: [
            ...lacking.map((file) => difference(file, there.get(file.path))),
            ...removed.map((name) => `- ${name}`),
          ].join('\n'),
          apply: sh`umask 022
cd -- ${path}
rm -rf ${staging}
mkdir -m 700 ${staging}
trap 'rm -rf ${staging}' EXIT
tar -x --no-same-owner --no-same-permissions -C ${staging} -f -
sync -f ${staging}
mkdir -p ${staging}/files
(
  cd ${staging}/files
  find . -mindepth 1 -type d -exec mkdir -p -- ../../{} ';'
  find . -type f ! -name '*.html' -exec mv -fT -- {} ../../{} ';'
  find . -type f -exec mv -fT -- {} ../../{} ';'
  [ -z "$(find . -type f)" ]
)
xargs -0 -r rm -f -- <${staging}/removed
rm -rf ${staging}
${remove ? sh`find . -mindepth 1 -type d -empty -delete` : sh`:`}`,
          input: () => contentStream(lacking, removed),
        }
      },
    },
    options,
  )
}

/** A line of b2sum: the hash and the path. */
function readLine(line: string): [path: string, hash: string] {
  const [, hash = '', path = ''] = /^(\S+) [ *]\.\/([^]*)$/.exec(line) ?? []
  return [path, hash]
}

function difference({ path, hash }: ContentFile, found: string | undefined): string {
  return `${found === undefined ? '' : `- ${path} ${short(found)}\n`}+ ${path} ${short(hash)}`
}

function short(hash: string): string {
  return hash === 'other' ? 'no regular file' : hash.slice(0, 12)
}
