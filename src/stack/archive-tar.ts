/** The little of tar that archives of images need, streaming both ways. */
import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Header } from 'tar-stream'
import { extract } from 'tar-stream'

export interface TarEntry {
  name: string
  header: Header
  body: AsyncIterable<unknown>
}

/** What is in a tar, gzipped or not; a body that nobody reads is skipped. */
export async function* tarEntries(path: string): AsyncGenerator<TarEntry> {
  const gzipped = await isGzipped(path)
  const tar = extract()
  const input = createReadStream(path, { highWaterMark: 1 << 18 })
  const unzipped = gzipped ? input.pipe(createGunzip()) : input
  for (const stream of new Set([input, unzipped])) stream.on('error', (error: Error) => tar.destroy(error))
  unzipped.pipe(tar)
  try {
    for await (const entry of tar) {
      yield { name: plain(entry.header.name), header: entry.header, body: entry }
      entry.resume()
    }
  } finally {
    input.destroy()
  }
}

async function isGzipped(path: string): Promise<boolean> {
  for await (const part of createReadStream(path, { end: 1 }) as AsyncIterable<Buffer>)
    return part.toString('hex') === '1f8b'
  return false
}

/** All of a small body. */
export async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) if (Buffer.isBuffer(part)) parts.push(part)
  return Buffer.concat(parts)
}

/** A name as it is looked up: without a leading `./`. */
export function plain(name: string): string {
  return posix.normalize(name)
}

/** The entry that a link stands for. */
export function linkTarget(name: string, header: Header): string {
  const target = header.linkname ?? ''
  return plain(header.type === 'symlink' ? posix.join(posix.dirname(name), target) : target)
}

/** A small file as it is in a tar. */
export function* tarFile(name: string, content: Buffer): Generator<Buffer> {
  yield tarHeader(name, content.length)
  yield content
  yield padding(content.length)
}

/** @see tar(5), POSIX ustar */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(size, 12), 124)
  header.write(octal(0, 12), 136)
  header.write('        0', 148)
  header.write('ustar\u000000', 257)
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    )}\0 `,
    148,
  )
  return header
}

function octal(value: number, length: number): string {
  return value.toString(8).padStart(length - 1, '0')
}

/** What a file of that size is followed by. */
export function padding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512)
}
