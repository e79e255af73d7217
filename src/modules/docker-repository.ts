import { InputError } from '../errors.ts'
import { lines, sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'

export interface DockerRepositoryOptions extends Common {
  /** Debian's code name. Default `bookworm`. */
  suite?: string
}

const key = '/etc/apt/keyrings/docker.asc'
const list = '/etc/apt/sources.list.d/docker.sources'
const home = 'https://download.docker.com/linux/debian'

/**
 * Docker's own apt repository, for `docker-ce`. For Raspberry Pi OS too: Debian's packages fit its 64-bit edition.
 * Needs curl and ca-certificates.
 *
 * Errors: a key that cannot be fetched; nothing is written then.
 *
 * @see https://docs.docker.com/engine/install/debian/
 * @example dockerRepository({ suite: 'bookworm' })
 */
export function dockerRepository({ suite = 'bookworm', ...common }: DockerRepositoryOptions = {}): Resource {
  if (!/^[a-z]+$/.test(suite))
    throw new InputError(`docker repository: ${suite} is no code name of Debian`, {
      expected: 'such as bookworm',
    })
  const wanted = `Types: deb\nURIs: ${home}\nSuites: ${suite}\nComponents: stable\nSigned-By: ${key}\n`
  return resource(
    {
      title: `docker repository ${suite}`,
      probe: sh`[ -s ${key} ] && cat ${list}`,
      plan(seen) {
        if (seen.code === 0 && seen.stdout === wanted) return undefined
        const found = seen.stdout.trimEnd().split('\n').filter(Boolean)
        return {
          diff: [
            ...found.map((line) => `- ${line}`),
            ...wanted
              .trimEnd()
              .split('\n')
              .map((line) => `+ ${line}`),
          ].join('\n'),
          apply: lines(
            sh`install -d -m 0755 /etc/apt/keyrings`,
            sh`curl -fsSL --retry 3 --max-time 60 -o ${`${key}.new`} ${`${home}/gpg`}`,
            sh`chmod 0644 ${`${key}.new`} && sync ${`${key}.new`} && mv ${`${key}.new`} ${key}`,
            sh`printf %s ${wanted} >${`${list}.new`} && chmod 0644 ${`${list}.new`} && sync ${`${list}.new`} && mv ${`${list}.new`} ${list}`,
          ),
        }
      },
    },
    common,
  )
}
