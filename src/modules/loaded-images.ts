import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { archiveStream } from '../stack/archive-stream.ts'
import { chainIds, findImage, type Archive, type ArchiveImage } from '../stack/archive.ts'
import { replaced } from './diff.ts'
import { imageName, inspectImages, readImages, type Found } from './image-found.ts'

export interface LoadedImagesOptions extends Common {
  /** What `readArchive` found in archives on this computer. */
  archives: readonly Archive[]
  /** The images wanted on this host. */
  references: readonly string[]
}

/**
 * Container images on the host that come out of archives on this computer, for clusters without a registry. What the
 * host lacks is sent over SSH in one go, each layer once, and read by `docker load`.
 *
 * Errors: InputError when no archive has an image; the host is of another architecture; those of `docker load`.
 *
 * @see https://docs.docker.com/reference/cli/docker/image/load/
 * @example loadedImages({ archives: [await readArchive('nginx.tar')], references: ['nginx:1.28'] })
 */
export function loadedImages(options: LoadedImagesOptions): Resource {
  const { archives } = options
  const wanted = options.references.map((reference) => findImage(archives, imageName(reference)).image)
  if (wanted.length === 0) throw new InputError('no images to load', { expected: 'at least one reference' })
  const references = wanted.map((image) => image.reference)
  return resource(
    {
      title: `images ${references.join(' ')}`,
      probe: inspectImages(references),
      plan(seen) {
        const there = readImages(seen.stdout)
        const found = (image: ArchiveImage): Found | undefined =>
          there.find(({ RepoTags }) => RepoTags.includes(image.reference))
        const missing = wanted.filter((image) => !isSame(image, found(image)))
        if (missing.length === 0) return undefined
        const diff = missing.map((image) =>
          replaced(
            `${image.reference} ${found(image)?.Id ?? 'absent'}`,
            `${image.reference} ${image.id} (${megabytes(image)} MB)`,
          ),
        )
        const names = missing.map((image) => image.reference)
        return {
          diff: diff.join('\n'),
          apply: lines(...eachArchitecture(missing).map(rightArchitecture), sh`docker load --quiet >&2`),
          input: () => archiveStream(archives, names, layersOf(there)),
        }
      },
    },
    options,
  )
}

/** Docker with containerd's image store has ids of another kind: there, what an image is made of has to tell. */
function isSame(image: ArchiveImage, found: Found | undefined): boolean {
  if (!found) return false
  if (found.Id === image.id) return true
  const diffIds = image.layers.map((layer) => layer.diffId)
  return (
    !isClassic(found) &&
    found.Architecture === image.architecture &&
    isDeepStrictEqual(found.RootFS.Layers, diffIds) &&
    Object.entries(image.config).every(
      ([key, value]) => isEmpty(value) || isDeepStrictEqual(found.Config[key], value),
    )
  )
}

function isClassic(found: Found): boolean {
  return found.GraphDriver?.Name === 'overlay2'
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || value === false || (Array.isArray(value) && value.length === 0)
}

/** Chain ids of the layers that need not be sent; containerd's image store wants every one. */
function layersOf(images: readonly Found[]): Set<string> {
  return new Set(images.filter(isClassic).flatMap((image) => chainIds(image.RootFS.Layers)))
}

function eachArchitecture(images: readonly ArchiveImage[]): ArchiveImage[] {
  return images.filter(
    ({ architecture }, index) => images.findIndex((one) => one.architecture === architecture) === index,
  )
}

function rightArchitecture({ architecture, reference }: ArchiveImage): Sh {
  const message = `the archive of ${reference} is for ${architecture}, this host is`
  return lines(
    sh`host=$(docker version --format '{{.Server.Arch}}')`,
    sh`[ "$host" = ${architecture} ] || { echo ${message} "$host" >&2; exit 1; }`,
  )
}

function megabytes({ layers }: ArchiveImage): string {
  return (layers.reduce((sum, layer) => sum + layer.size, 0) / 1e6).toFixed(1)
}
