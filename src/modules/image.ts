import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { absolutePath, cutLine } from './check.ts'
import { replaced } from './diff.ts'
import { imageName, inspectImages, isRecord, readImages } from './image-found.ts'

export { loadedImages, type LoadedImagesOptions } from './loaded-images.ts'

export type ImageOptions = Common & {
  /** `nginx:1.28`, `registry.example:5000/nginx@sha256:…` */
  reference: string
} & (
    | {
        /** Pull it unless the host has an image of that name. A tag that moved is not noticed: pin by digest. */
        from: 'registry'
      }
    | {
        /** Build it on the host, from a Dockerfile in this directory of the host; again when a file there changed. */
        build: { directory: string }
      }
  )

/** Says which files an image was built from. */
const label = 'bramble.context'

/**
 * A container image on the host, pulled from its registry or built there.
 *
 * Errors: those of `docker pull` and `docker build`.
 *
 * @see https://docs.docker.com/reference/cli/docker/image/
 * @example image({ reference: 'nginx:1.28', from: 'registry' })
 */
export function image(options: ImageOptions): Resource {
  const reference = imageName(options.reference)
  if ('from' in options)
    return resource(
      {
        title: `image ${reference}`,
        probe: inspectImages([reference]),
        plan: (seen) =>
          readImages(seen.stdout).length > 0
            ? undefined
            : { diff: replaced('absent', reference), apply: sh`docker pull --quiet ${reference} >&2` },
      },
      options,
    )
  const directory = absolutePath(options.build.directory)
  const build = sh`docker build --label ${label}="$context" --tag ${reference} ${directory} >&2`
  return resource(
    {
      title: `image ${reference}, built from ${directory}`,
      restsOn: [directory],
      probe: lines(sh`${hashOf(directory)}; echo "$context"`, inspectImages([reference])),
      plan(seen) {
        const [context, rest] = cutLine(seen.stdout)
        const [found] = readImages(rest)
        const labels = found?.Config['Labels']
        const built = isRecord(labels) ? labels[label] : undefined
        if (built === context) return undefined
        const before = found ? `built from ${typeof built === 'string' ? built : 'something else'}` : 'absent'
        return {
          diff: replaced(before, `built from ${context || directory}`),
          apply: lines(hashOf(directory), build),
        }
      },
    },
    options,
  )
}

/** Sets `context` to a hash over names and contents of the files in a directory. */
function hashOf(directory: string): Sh {
  return sh`context=$(cd ${directory} 2>/dev/null && find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum) || :; context=\${context%% *}`
}
