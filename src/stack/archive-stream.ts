import { Readable } from 'node:stream'
import type { Archive, ArchiveImage, ArchiveLayer } from './archive.ts'
import { chainIds, findImage } from './archive.ts'
import { padding, tarEntries, tarFile, tarHeader } from './archive-tar.ts'

/**
 * What `docker load` reads to get these images: each layer once, and none that the host has, which Docker looks up
 * before it opens the file. (Only the classic image store does; tell of nothing for a host with containerd's.)
 *
 * @param has chain ids of the layers that the host has; see `chainIds`.
 * Errors: InputError when no archive has an image of that name.
 *
 * @see https://github.com/moby/moby/blob/master/image/tarexport/load.go
 * @example archiveStream(archives, ['bramble/nginx:lab'], new Set()).pipe(stdin)
 */
export function archiveStream(
  archives: readonly Archive[],
  wanted: readonly string[],
  has: ReadonlySet<string>,
): Readable {
  const chosen = wanted.map((reference) => findImage(archives, reference))
  const sent = new Set<string>()
  for (const { image } of chosen) {
    const chain = chainIds(image.layers.map((layer) => layer.diffId))
    image.layers.forEach((layer, index) => has.has(chain[index] ?? '') || sent.add(layer.diffId))
  }
  return Readable.from(write(chosen, sent), { objectMode: false })
}

async function* write(
  chosen: readonly { archive: Archive; image: ArchiveImage }[],
  sent: Set<string>,
): AsyncGenerator<Buffer> {
  const manifest = chosen.map(({ image }) => ({
    Config: configPath(image),
    RepoTags: [image.reference],
    Layers: image.layers.map(layerPath),
  }))
  yield* tarFile('manifest.json', Buffer.from(JSON.stringify(manifest)))
  const configs = new Map(chosen.map(({ image }) => [configPath(image), image.json]))
  for (const [name, json] of configs) yield* tarFile(name, json)
  for (const archive of new Set(chosen.map((choice) => choice.archive))) {
    const layers = chosen
      .filter((choice) => choice.archive === archive)
      .flatMap((choice) => choice.image.layers)
    for await (const { name, header, body } of tarEntries(archive.path)) {
      const layer = layers.find((layer) => layer.path === name)
      if (header.type !== 'file' || !layer || !sent.delete(layer.diffId)) continue
      yield tarHeader(layerPath(layer), layer.size)
      for await (const part of body) if (Buffer.isBuffer(part)) yield part
      yield padding(layer.size)
    }
  }
  yield Buffer.alloc(1024)
}

function configPath(image: ArchiveImage): string {
  return `${image.id.replace('sha256:', '')}.json`
}

function layerPath(layer: ArchiveLayer): string {
  return `${layer.diffId.replace('sha256:', '')}/layer.tar`
}
