import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'
import { InputError } from '../errors.ts'

/** A file of a site on this computer. */
export interface ContentFile {
  /** Below the site's directory: `css/site.css`. */
  path: string
  /** Where it is here. */
  source: string
  /** Bytes. */
  size: number
  /** BLAKE2b, as b2sum(1) prints it. */
  hash: string
}

/**
 * The files of a directory and of those below it, by their paths. A symbolic link stands for the file that it leads to;
 * empty directories are nothing to be served.
 *
 * Errors: InputError when the directory is not there or has no file; when something in it is neither a file nor a
 * directory, as a link to a directory is; when a name is not UTF-8.
 *
 * @example const files = await readContent('public'); files[0]?.path === 'index.html'
 */
export async function readContent(directory: string): Promise<ContentFile[]> {
  const files: ContentFile[] = []
  for (const path of (await filesBelow(directory)).toSorted()) {
    const source = join(directory, path)
    const { size } = await fileAt(source)
    files.push({ path, source, size, hash: await hashOf(source) })
  }
  if (files.length > 0) return files
  throw new InputError(`there is no file in ${directory}`, { expected: 'the files of a site' })
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InputError(`cannot read ${directory}`, {
      expected: 'a directory with the files of a site',
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  })
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return [entry.name]
      const below = await filesBelow(join(directory, entry.name))
      return below.map((path) => join(entry.name, path))
    }),
  )
  return found.flat()
}

async function fileAt(source: string): Promise<{ size: number }> {
  const found = await stat(source).catch(() => undefined)
  if (found?.isFile() && !source.includes('\uFFFD')) return found
  throw new InputError(`${source} cannot be served`, {
    expected: 'files with names in UTF-8, links to files, and directories',
    found: found?.isDirectory() ? 'a symbolic link to a directory' : found ? 'no such file' : 'nothing there',
    next: 'Take it out of the directory, or put there what it stands for.',
  })
}

async function hashOf(source: string): Promise<string> {
  const hash = createHash('blake2b512')
  await pipeline(createReadStream(source), hash)
  return hash.digest('hex')
}

/**
 * A tar of them as `files/…`, and of the names of those to be removed, each ended by a NUL, as `removed`.
 *
 * Errors: the stream's, when a file is no longer as long as it was.
 */
export function contentStream(files: readonly ContentFile[], removed: readonly string[]): Readable {
  const tar = pack()
  write(tar, files, removed).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  // One of Node's own, as streams of other makers end in other ways.
  return Readable.from(tar, { objectMode: false })
}

async function write(tar: Pack, files: readonly ContentFile[], removed: readonly string[]): Promise<void> {
  tar.entry({ name: 'removed' }, removed.map((path) => `${path}\0`).join(''))
  for (const { path, source, size } of files) {
    await pipeline(createReadStream(source), tar.entry({ name: `files/${path}`, size, mode: 0o644 }))
  }
}
