import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { keep, readKept, stamp } from '../cache-file.ts'
import { readArchive, type Archive, type ArchiveImage } from './archive.ts'

/** Of each archive, by its path. */
type Kept = Record<string, { stamp: string; images: (Omit<ArchiveImage, 'json'> & { json: string })[] }>

/**
 * What archives hold, kept in `file` for as long as these are the same archives: to know it, all of an archive has to
 * be read, and images of a few hundred megabytes would make each run seconds longer.
 *
 * Errors: InputError, as `readArchive`.
 *
 * @example const all = await readArchives(['images/nginx.tar'], '.bramble/cache/archives.json')
 */
export async function readArchives(paths: readonly string[], file: string): Promise<Archive[]> {
  const kept = (readKept(file) ?? {}) as Kept
  const known = paths.every((path) => kept[path]?.stamp === stamp(path))
  const now = known ? kept : Object.fromEntries(await Promise.all(paths.map((path) => entry(path, kept))))
  if (!known) keepIfPossible(file, now)
  return paths.map((path) => ({
    path,
    images: (now[path]?.images ?? []).map((image) => ({ ...image, json: Buffer.from(image.json, 'base64') })),
  }))
}

async function entry(path: string, kept: Kept): Promise<[string, Kept[string]]> {
  // Before it is read: one that is replaced meanwhile is read again.
  const before = stamp(path)
  const same = kept[path]
  if (same?.stamp === before) return [path, same]
  const { images } = await readArchive(path)
  return [
    path,
    { stamp: before, images: images.map((image) => ({ ...image, json: image.json.toString('base64') })) },
  ]
}

function keepIfPossible(file: string, kept: Kept): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    keep(file, JSON.stringify(kept))
  } catch {
    // The project cannot be written to: they are read each time.
  }
}
