import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BuildFailure } from 'esbuild'
import { keep, readKept, stamp } from '../cache-file.ts'
import { InputError } from '../errors.ts'
import type { Cluster } from '../inventory/index.ts'
import type { Playbook } from './play.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const api = new URL(`../playbook/index.${extension}`, import.meta.url)

interface CacheEntry {
  /** Every file the playbook is made of, with modification time and size. */
  inputs: Record<string, string>
}

/**
 * Loads a playbook: TypeScript, or JavaScript. It is transpiled once and kept in `.bramble/cache` of the project
 * until one of its files changes. One whose plays depend on which hosts there are exports a function of the cluster.
 *
 * Errors: InputError, with file, line and column, for one that is missing, does not compile, throws while it is
 * loaded, or does not export a playbook.
 */
export async function loadPlaybook(path: string, project: string, cluster: Cluster): Promise<Playbook> {
  const file = resolve(path)
  if (!existsSync(file)) {
    throw new InputError(`there is no playbook ${path}`, {
      next: 'Name one: bramble apply playbooks/site.ts',
    })
  }
  const compiled = await compileSomewhere(file, project)
  process.setSourceMapsEnabled(true)
  const exported = await importDefault(path, compiled, cluster)
  if (isPlaybook(exported)) return exported
  throw new InputError(`${path} is no playbook`, {
    expected: 'export default playbook({ name, plays: […] })',
    found: exported === undefined ? 'no default export' : `a default export of type ${typeof exported}`,
  })
}

async function importDefault(path: string, compiled: string, cluster: Cluster): Promise<unknown> {
  try {
    const { default: exported } = (await import(pathToFileURL(compiled).href)) as { default?: unknown }
    return typeof exported === 'function' ? (exported as (cluster: Cluster) => unknown)(cluster) : exported
  } catch (cause) {
    throw thrown(path, cause)
  }
}

/** An error that a playbook's own code threw, with the place in that code. */
export function thrown(playbook: string, cause: unknown): InputError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const at = userFrame(error)
  if (error instanceof InputError) {
    return at && !error.details.at ? new InputError(error.message, { ...error.details, at }) : error
  }
  return new InputError(`${playbook} throws: ${error.message}`, { cause, ...(at && { at }) })
}

/** Folders of the program itself, whose frames are not where a user wrote anything. */
const own = ['src', 'dist', 'node_modules', 'bin']

/** Where in the user's own files an error was made: `playbooks/site.ts:12:3`; undefined when nowhere in them. */
export function userFrame(error: Error): string | undefined {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  for (const line of (error.stack ?? '').split('\n').slice(1)) {
    const place = /\(?(?:file:\/\/)?(\/[^()]+):(\d+):(\d+)\)?$/.exec(line.trim())
    if (!place?.[1] || own.some((folder) => place[1]?.startsWith(`${root}${folder}/`))) continue
    return `${relative(process.cwd(), place[1])}:${place[2]}:${place[3]}`
  }
  return undefined
}

/** In the project's cache; where that cannot be written, in a folder that goes with the process. */
async function compileSomewhere(file: string, project: string): Promise<string> {
  try {
    return await compile(file, project, join(project, '.bramble/cache'))
  } catch (error) {
    if (error instanceof InputError) throw error
    const folder = mkdtempSync(join(tmpdir(), 'bramble-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    return compile(file, project, folder)
  }
}

async function compile(file: string, project: string, folder: string): Promise<string> {
  // The program's own version of the API is part of the key: a cached file names where it is.
  const key = createHash('sha256').update(`${file}\n${api.href}`).digest('hex').slice(0, 16)
  const output = join(folder, key)
  const entry = readKept(`${output}.json`) as CacheEntry | undefined
  const name = (inputs: CacheEntry['inputs']) => {
    const version = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16)
    return `${output}-${version}.mjs`
  }
  if (entry && existsSync(name(entry.inputs)) && isFresh(entry)) return name(entry.inputs)
  const { text, inputs } = await bundle(file, project, `${output}.mjs`)
  mkdirSync(dirname(output), { recursive: true })
  keep(name(inputs), text)
  keep(`${output}.json`, JSON.stringify({ inputs } satisfies CacheEntry))
  if (entry && name(entry.inputs) !== name(inputs)) rmSync(name(entry.inputs), { force: true })
  return name(inputs)
}

async function bundle(
  file: string,
  project: string,
  outfile: string,
): Promise<{ text: string; inputs: CacheEntry['inputs'] }> {
  const { build, stop } = await import('esbuild')
  const stamps: [path: string, stamp: string][] = []
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      absWorkingDir: project,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      sourcemap: 'inline',
      write: false,
      logLevel: 'silent',
      outfile,
      plugins: [
        {
          name: 'bramble',
          setup(build) {
            build.onResolve({ filter: /^bramble$/ }, () => ({ path: api.href, external: true }))
            // Before it is read: what is saved meanwhile is to be seen the next time.
            build.onLoad({ filter: /./ }, ({ path }) => {
              stamps.push([path, stamp(path)])
              return undefined
            })
          },
        },
      ],
    })
    const inputs = Object.fromEntries(stamps.toSorted(([one], [other]) => (one < other ? -1 : 1)))
    return { text: outputFiles[0]?.text ?? '', inputs }
  } catch (cause) {
    throw uncompiled(cause as BuildFailure)
  } finally {
    await stop()
  }
}

function uncompiled(failure: BuildFailure): InputError {
  const first = failure.errors?.[0]
  if (!first)
    return new InputError('the playbook does not compile', { cause: failure, found: failure.message })
  const { location } = first
  return new InputError('the playbook does not compile', {
    found: `${first.text}${location ? `\n${location.lineText}` : ''}`,
    ...(location && { at: `${location.file}:${location.line}:${location.column + 1}` }),
  })
}

function isFresh(entry: CacheEntry): boolean {
  return Object.entries(entry.inputs).every(([path, seen]) => stamp(path) === seen)
}

function isPlaybook(value: unknown): value is Playbook {
  return typeof value === 'object' && value !== null && 'plays' in value && Array.isArray(value.plays)
}
