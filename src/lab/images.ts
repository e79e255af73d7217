import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { BrambleError } from '../errors.ts'
import { interpreter, neededLibraries, withoutLibraries } from './image-elf.ts'
import type { Entry } from './image-layer.ts'
import { imageArchive, makeLayer } from './image-layer.ts'
import { unpackPackages } from './image-packages.ts'
import type { Recipe } from './image-recipes.ts'
import { base, packages, recipes } from './image-recipes.ts'
import type { Arch } from './machines.ts'

/** Raised when images come out different though their recipes did not change. */
const format = 1

interface Image {
  recipe: Recipe
  /** By their paths in the image. */
  programs: Map<string, Buffer>
  /** Names of the libraries they need, and of those that these need. */
  libraries: string[]
}

/**
 * Builds the lab's container images from Debian's packages, with neither a registry nor Docker:
 * `bramble-nginx.tar`, `bramble-haproxy.tar` and `bramble-keepalived.tar` (tags `bramble/nginx:lab`, …) for
 * `docker load`. Small, because emulated machines import about 1 MB a second: a program, the libraries it uses, and
 * a layer below that all three share. Does nothing when `directory` has them from the same recipes.
 *
 * Errors: BrambleError when a package cannot be had or lacks a library.
 *
 * @example await buildLabImages('inventory/lab/images', 'amd64', console.log)
 */
export async function buildLabImages(
  directory: string,
  arch: Arch,
  onProgress: (line: string) => void,
): Promise<void> {
  const stamp = join(directory, 'recipe.sha256')
  const recipe = createHash('sha256')
    .update(
      JSON.stringify([format, arch, packages, base, recipes], (_, value: unknown) =>
        value instanceof RegExp ? value.source : value,
      ),
    )
    .digest('hex')
  const built = recipes.every(({ name }) => existsSync(archivePath(directory, name)))
  if (built && existsSync(stamp) && (await readFile(stamp, 'utf8')).trim() === recipe) return

  await mkdir(directory, { recursive: true })
  const scratch = await mkdtemp(join(tmpdir(), 'bramble-images-'))
  try {
    const root = await unpackPackages(scratch, arch, packages.split(' '), onProgress)
    await rm(stamp, { force: true })
    for (const [name, bytes] of await assemble(root, arch)) {
      const path = archivePath(directory, name)
      await writeFile(`${path}.new`, bytes)
      await rename(`${path}.new`, path)
      onProgress(`${path}: ${(bytes.length / 1e6).toFixed(1)} MB`)
    }
    await writeFile(stamp, `${recipe}\n`)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function archivePath(directory: string, name: string): string {
  return join(directory, `bramble-${name}.tar`)
}

/** The archives by name, out of a tree of unpacked packages. */
async function assemble(root: string, arch: Arch): Promise<Map<string, Buffer>> {
  const libraries = await findLibraries(root)
  const images: Image[] = []
  for (const recipe of recipes) images.push(await readPrograms(root, recipe, libraries))

  const busybox = await readFile(join(root, 'bin/busybox'))
  const users = (library: string): number =>
    images.filter((image) => image.libraries.includes(library)).length
  const every = images.flatMap((image) => image.libraries)
  const shared = new Set([
    ...(await closure('busybox', neededLibraries(busybox), libraries)),
    ...every.filter((name) => users(name) > 1),
  ])
  const copy = (names: readonly string[]): Promise<Entry[]> =>
    Promise.all(names.map(async (name) => file(`/lib/${name}`, await readFile(libraries.get(name) ?? ''))))
  const below = await makeLayer([
    ...base,
    file('/bin/busybox', busybox),
    ...(await copy([...shared])),
    ...loader(images.flatMap((image) => [...image.programs.values()])),
  ])

  const archives = new Map<string, Buffer>()
  for (const { recipe, programs, libraries: needed } of images) {
    const copies = await Promise.all(
      recipe.copies.map(async (path) => ({ ...file(path, await readFile(join(root, path))), mode: 0o644 })),
    )
    const own = await copy(needed.filter((name) => !shared.has(name)))
    const run = [...programs].map(([path, program]) => file(path, program))
    const layer = await makeLayer([...recipe.entries, ...copies, ...own, ...run])
    archives.set(
      recipe.name,
      await imageArchive(`bramble/${recipe.name}:lab`, arch, recipe.config, [below, layer]),
    )
  }
  return archives
}

async function readPrograms(root: string, recipe: Recipe, libraries: Map<string, string>): Promise<Image> {
  const programs = new Map<string, Buffer>()
  const needed = [...recipe.opens]
  for (const { from, to } of recipe.programs) {
    const original = await readFile(join(root, from))
    const unused = neededLibraries(original).filter((name) => recipe.without.test(name))
    const program = withoutLibraries(original, unused)
    programs.set(to, program)
    needed.push(...neededLibraries(program))
  }
  return { recipe, programs, libraries: await closure(recipe.name, needed, libraries) }
}

/** These libraries, and those that they need themselves. */
async function closure(
  program: string,
  needed: readonly string[],
  libraries: ReadonlyMap<string, string>,
): Promise<string[]> {
  const all = new Set<string>()
  const waiting = [...needed]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (all.has(name)) continue
    const path = libraries.get(name)
    if (path === undefined)
      throw new BrambleError(`${program} needs ${name}, which no package of the lab's images has`, {
        next: `add the Debian package that has ${name} to the packages in src/lab/image-recipes.ts`,
      })
    all.add(name)
    waiting.push(...neededLibraries(await readFile(path)))
  }
  return [...all]
}

/** Where each library of the tree is, by the name that programs ask for. */
async function findLibraries(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const top of ['usr/lib', 'lib'])
    for (const entry of await readdir(join(root, top), { recursive: true, withFileTypes: true }))
      if (entry.name.includes('.so') && !entry.isDirectory()) {
        const path = join(entry.parentPath, entry.name)
        if (existsSync(path)) found.set(entry.name, await realpath(path))
      }
  return found
}

/** The loader has to be where the programs name it; on amd64 that is not where libraries are. */
function loader(programs: readonly Buffer[]): Entry[] {
  const paths = new Set(programs.map((program) => interpreter(program) ?? ''))
  return [...paths]
    .filter((path) => !path.startsWith('/lib/'))
    .map((path) => ({ path, type: 'symlink', target: `/lib/${basename(path)}` }))
}

function file(path: string, content: Buffer): Entry {
  return { path, type: 'file', mode: 0o755, content }
}
