import { createHash } from 'node:crypto'
import { pack } from 'tar-stream'

/** Something in an image; its path is absolute. Owner root and mode 0755 (files: 0644) unless it says otherwise. */
export type Entry = { path: string; mode?: number; uid?: number } & (
  { type: 'file'; content: Buffer | string } | { type: 'directory' } | { type: 'symlink'; target: string }
)

/** A layer as Docker reads it. */
export interface Layer {
  tar: Buffer
  /** `sha256:…` of the tar. */
  diffId: string
}

/** What an image is run with, in Docker's own words. */
export interface ImageConfig {
  Entrypoint: string[]
  Cmd?: string[]
  Env: string[]
  User?: string
  WorkingDir?: string
  StopSignal?: string
  ExposedPorts?: Record<string, Record<string, never>>
}

const epoch = new Date(0)

/**
 * A layer of these entries and the directories they are in. The same entries give the same bytes, so that an image
 * that is built again keeps its id.
 */
export async function makeLayer(entries: readonly Entry[]): Promise<Layer> {
  const byPath = new Map<string, Entry>()
  for (const entry of entries)
    for (const path of parents(entry.path)) byPath.set(path, { path, type: 'directory' })
  for (const entry of entries) byPath.set(entry.path, entry)
  const paths = [...byPath.keys()].toSorted((one, other) => (one < other ? -1 : 1))

  const tar = pack()
  for (const path of paths) {
    const entry = byPath.get(path)
    if (entry) addEntry(tar, entry)
  }
  tar.finalize()
  const bytes = await collect(tar)
  return { tar: bytes, diffId: digest(bytes) }
}

/** The bytes of an archive that `docker load` reads: one image with its layers, lowest first. */
export function imageArchive(
  reference: string,
  architecture: string,
  config: ImageConfig,
  layers: readonly Layer[],
): Promise<Buffer> {
  const created = epoch.toISOString()
  const image = JSON.stringify({
    architecture,
    os: 'linux',
    created,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created, created_by: 'bramble lab' })),
  })
  const configPath = `${hex(digest(Buffer.from(image)))}.json`
  const layerPath = (layer: Layer): string => `${hex(layer.diffId)}/layer.tar`
  const manifest = [{ Config: configPath, RepoTags: [reference], Layers: layers.map(layerPath) }]

  const tar = pack()
  tar.entry({ name: 'manifest.json', mtime: epoch }, JSON.stringify(manifest))
  tar.entry({ name: configPath, mtime: epoch }, image)
  for (const layer of layers) tar.entry({ name: layerPath(layer), mtime: epoch }, layer.tar)
  tar.finalize()
  return collect(tar)
}

function addEntry(tar: ReturnType<typeof pack>, entry: Entry): void {
  const header = { mtime: epoch, uid: entry.uid ?? 0, gid: entry.uid ?? 0, name: entry.path.slice(1) }
  if (entry.type === 'directory')
    tar.entry({ ...header, name: `${header.name}/`, type: 'directory', mode: entry.mode ?? 0o755 })
  else if (entry.type === 'symlink')
    tar.entry({ ...header, type: 'symlink', linkname: entry.target, mode: 0o777 })
  else tar.entry({ ...header, type: 'file', mode: entry.mode ?? 0o644 }, entry.content)
}

/** `/a/b/c` is in `/a` and `/a/b`. */
function parents(path: string): string[] {
  const parts = path.split('/').slice(1, -1)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) if (Buffer.isBuffer(part)) parts.push(part)
  return Buffer.concat(parts)
}

function hex(digest: string): string {
  return digest.replace('sha256:', '')
}

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
