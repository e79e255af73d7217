import { createHash } from 'node:crypto'
import type { Context } from '../playbook/play.ts'
import { findImage } from './archive.ts'
import type { StackModel } from './model.ts'

/** What the image of Keepalived is built from, in `templates/keepalived/`. */
export const keepalivedSources = ['Dockerfile', 'check-haproxy', 'docker-entrypoint.sh'] as const

/**
 * What tells two images of one name apart where no registry does: the id of the one in an archive, or a hash of what
 * it is built from.
 *
 * Errors: InputError when no archive has an image.
 *
 * @example imageRevisions(context).keepalived?.startsWith('sha256:')
 */
export function imageRevisions({
  cluster,
  archives,
  template,
}: Pick<Context, 'cluster' | 'archives' | 'template'>): Partial<StackModel['revisions']> {
  const { images } = cluster.settings
  const archived = images.archives === undefined ? [] : (['haproxy', 'keepalived', 'nginx'] as const)
  const built = keepalivedSources.map((name) => template(`keepalived/${name}`).text)
  const hash = createHash('sha256').update(JSON.stringify(built)).digest('hex')
  return {
    ...Object.fromEntries(
      archived.map((service) => [service, findImage(archives, images[service]).image.id]),
    ),
    ...(images.keepalived_build && { keepalived: `sha256:${hash}` }),
  }
}
