/** Archives of container images, as `docker save` writes them and `docker load` reads them. */
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { collect, linkTarget, plain, tarEntries } from './archive-tar.ts'
import { InputError } from '../errors.ts'

export interface ArchiveLayer {
  /** `sha256:…` of the layer's uncompressed tar. */
  diffId: string
  /** The file of the archive that has it. */
  path: string
  /** Bytes of that file. */
  size: number
}

/** What a container of an image is run with, in Docker's words: `Entrypoint`, `User`, `StopSignal`, … */
export type RunConfig = Readonly<Record<string, unknown>>

export interface ArchiveImage {
  /** `bramble/nginx:lab`: as `docker images` shows it. */
  reference: string
  /** Docker's image id: `sha256:…` of the image's configuration. */
  id: string
  /** `amd64`, `arm64`, … */
  architecture: string
  config: RunConfig
  /** The configuration as it is in the archive. */
  json: Buffer
  /** Lowest first. */
  layers: ArchiveLayer[]
}

export interface Archive {
  path: string
  images: ArchiveImage[]
}

const manifestFile = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
)
const configFile = z.object({
  architecture: z.string(),
  config: z.record(z.string(), z.unknown()).nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
})

/** Nothing but a layer is larger; layers are not kept in memory. */
const largestConfig = 4 << 20

/**
 * Reads what is in an archive of `docker save`, of any of its layouts, gzipped or not. Images without a name are
 * left out.
 *
 * Errors: InputError when the file is not there, is no such archive, or lacks a part.
 *
 * @see https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
 * @example const { images } = await readArchive('images/nginx.tar')
 */
export async function readArchive(path: string): Promise<Archive> {
  const sizes = new Map<string, number>()
  const links = new Map<string, string>()
  const small = new Map<string, Buffer>()
  try {
    for await (const { name, header, body } of tarEntries(path)) {
      const size = header.size ?? 0
      if (header.type === 'symlink' || header.type === 'link') links.set(name, linkTarget(name, header))
      if (header.type === 'file') sizes.set(name, size)
      if (header.type === 'file' && size <= largestConfig) small.set(name, await collect(body))
    }
  } catch (cause) {
    throw new InputError(`${path} cannot be read as an archive of docker save`, {
      found: cause instanceof Error ? cause.message : String(cause),
      next: 'save the image again: docker save -o FILE NAME:TAG',
      cause,
    })
  }
  const follow = (name: string): string => links.get(plain(name)) ?? plain(name)
  const text = (name: string): Buffer => small.get(follow(name)) ?? lacks(path, name)

  const images = parse(path, 'manifest.json', manifestFile, text('manifest.json')).flatMap((item) => {
    const json = text(item.Config)
    const { architecture, config, rootfs } = parse(path, item.Config, configFile, json)
    if (rootfs.diff_ids.length !== item.Layers.length)
      throw new InputError(`${path} is damaged`, {
        expected: `${rootfs.diff_ids.length} layers, as ${item.Config} says`,
        found: `${item.Layers.length} in manifest.json`,
        next: 'save the image again: docker save -o FILE IMAGE',
      })
    const layers = item.Layers.map((layer, index) => ({
      diffId: rootfs.diff_ids[index] ?? '',
      path: follow(layer),
      size: sizes.get(follow(layer)) ?? lacks(path, layer),
    }))
    const id = `sha256:${createHash('sha256').update(json).digest('hex')}`
    return (item.RepoTags ?? []).map((tag) => {
      return { reference: familiar(tag), id, architecture, config: config ?? {}, json, layers }
    })
  })
  if (images.length > 0) return { path, images }
  throw new InputError(`no image in ${path} has a name`, {
    next: 'save it by its name, not by its id: docker save -o FILE NAME:TAG',
  })
}

/** The image of that name, and the archive it is in. Errors: InputError when none has it. */
export function findImage(
  archives: readonly Archive[],
  reference: string,
): { archive: Archive; image: ArchiveImage } {
  for (const archive of archives)
    for (const image of archive.images) if (image.reference === familiar(reference)) return { archive, image }
  throw new InputError(`no archive has the image ${reference}`, {
    expected: `an archive made by: docker save -o FILE ${reference}`,
    found:
      archives
        .flatMap(({ path, images }) => images.map((image) => `${image.reference} in ${path}`))
        .join('\n') || 'no archives',
  })
}

/** What Docker knows the layers of an image by: each together with those below it. */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below ? `sha256:${createHash('sha256').update(`${below} ${diffId}`).digest('hex')}` : diffId)
  }
  return chain
}

/** A name as `docker images` shows it: `docker.io/library/nginx` is `nginx:latest`. */
export function familiar(reference: string): string {
  const short = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '')
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`
}

function parse<T>(path: string, name: string, schema: z.ZodType<T>, json: Buffer): T {
  try {
    return schema.parse(JSON.parse(json.toString()))
  } catch (cause) {
    throw new InputError(`${name} in ${path} is not what docker save writes`, {
      found: json.toString('utf8', 0, 200),
      cause,
    })
  }
}

function lacks(path: string, name: string): never {
  throw new InputError(`${path} is no whole archive of docker save`, {
    expected: `the file ${name} in it`,
    next: 'save the image again: docker save -o FILE NAME:TAG',
  })
}
