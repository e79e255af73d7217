import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../../src', import.meta.url))

interface Import {
  /** The importing file, relative to src/. */
  file: string
  /** A file relative to src/, or the name of a package. */
  target: string
  /** What is imported by name; empty for `import * as`, `import x`, `export *` and `import()`. */
  names: string[]
}

/** Every import that is there when the program runs: types are not. */
function runtimeImports(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)([^'"`;=()]*?)\s*from '([^']+)'/gm)
  const calls = text.matchAll(/\bimport\(\s*'([^']+)'\s*\)|^import '([^']+)'/gm)
  return [
    ...[...statements].flatMap(([, clause = '', target = '']) => {
      const listed = /\{([^}]*)\}/.exec(clause)?.[1]
      const names = (listed ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '' && !name.startsWith('type '))
      return listed !== undefined && names.length === 0 ? [] : [{ file, names, target }]
    }),
    ...[...calls].map(([, called, plain]) => ({ file, names: [], target: called ?? plain ?? '' })),
  ].map((one) => ({
    ...one,
    target: one.target.startsWith('.')
      ? relative(source, join(source, dirname(file), one.target))
      : one.target,
  }))
}

const sources = readdirSync(source, { recursive: true })
  .map(String)
  .filter((path) => path.endsWith('.ts'))
const imports = sources.flatMap(runtimeImports)
const folderOf = (path: string): string => path.split('/')[0] ?? ''
const within = (folder: string): Import[] => imports.filter(({ file }) => folderOf(file) === folder)
const isOf =
  (...folders: string[]) =>
  ({ target }: Import): boolean =>
    target.includes('.ts') && folders.includes(folderOf(target))

function none(found: readonly Import[]): void {
  assert.deepEqual(
    found.map(({ file, target }) => `${file} imports ${target}`),
    [],
  )
}

/** Parts of node:net that only compute with addresses. */
const pure = new Set(['BlockList', 'isIP', 'isIPv4', 'isIPv6'])

function usesNetwork({ target, names }: Import): boolean {
  if (target === 'node:net') return names.length === 0 || names.some((name) => !pure.has(name))
  return /^(ssh2|node-ssh|node:(dgram|dns|http|http2|https|tls)(\/.*)?)$/.test(target)
}

describe('the imports', () => {
  it('are found', () => {
    const target = 'engine/events.ts'
    assert.ok(sources.length > 90)
    assert.ok(imports.some(({ file, names }) => file === 'modules/apt.ts' && names.includes('resource')))
    assert.ok(imports.some(({ file, target }) => file === 'cli/main.ts' && target === 'cli/apply.ts'))
    assert.ok(!imports.some((one) => one.file === 'report/json.ts' && one.target === target), 'a type only')
  })

  it('of modules reach nothing that connects, converges, reports or reads the inventory', () => {
    none(within('modules').filter(isOf('cli', 'engine', 'inventory', 'lab', 'report', 'ssh', 'reference')))
  })

  it('of modules reach no I/O of Node.js', () => {
    // node:stream for streams over what is in memory, node:vm to end a template that never does.
    const harmless = new Set(['node:crypto', 'node:path', 'node:stream', 'node:util', 'node:vm'])
    none(within('modules').filter(({ target }) => target.startsWith('node:') && !harmless.has(target)))
  })

  it('of the engine reach neither reports nor the command line', () => {
    none(within('engine').filter(isOf('cli', 'lab', 'report', 'reference')))
  })

  it('of reports reach only events and secrets', () => {
    none(
      within('report').filter(
        (one) =>
          one.target.includes('.ts') && one.target !== 'engine/events.ts' && !isOf('report', 'secrets')(one),
      ),
    )
  })

  it('of the status reach nothing that connects, converges or reads the inventory', () => {
    none(within('status').filter(isOf('cli', 'engine', 'inventory', 'lab', 'ssh', 'reference')))
    none(within('status').filter(({ target }) => target.startsWith('node:') && target !== 'node:util'))
  })

  it('of drills reach the cluster only by what the command line hands in', () => {
    none(within('drill').filter(isOf('cli', 'engine', 'lab', 'ssh', 'reference')))
  })

  it('reach the network from src/ssh only, and from the program that is the clients of a site in a drill', () => {
    const allowed = /^(ssh\/|drill\/client\.ts$)/
    none(imports.filter((one) => !allowed.test(one.file) && usesNetwork(one)))
    none(imports.filter(({ target }) => target === 'drill/client.ts'))
  })

  it('reach the lab from the command line only', () => {
    none(imports.filter((one) => isOf('lab')(one) && !['lab', 'cli'].includes(folderOf(one.file))))
  })

  it('reach the command line and the reference from nowhere', () => {
    none(imports.filter((one) => isOf('cli')(one) && folderOf(one.file) !== 'cli'))
    none(imports.filter((one) => isOf('reference')(one) && folderOf(one.file) !== 'reference'))
  })

  it('start programs from src/ssh, src/lab, the load of drills, the commands for the lab and the editor only', () => {
    const allowed = /^(ssh\/|lab\/|drill\/load\.ts$|cli\/(lab|editor)\.ts$)/
    none(imports.filter(({ file, target }) => target === 'node:child_process' && !allowed.test(file)))
  })

  it('never lead back to the file they are in', () => {
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), [...path, file].join(' → '))
      if (done.has(file)) return
      for (const one of imports) if (one.file === file) visit(one.target, [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
  })
})
