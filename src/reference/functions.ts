import { readFileSync } from 'node:fs'
import { declarationsOf, functionsOf, type FunctionDoc } from './docstrings.ts'

const source = new URL('../', import.meta.url)

function read(file: URL): string {
  return readFileSync(file, 'utf8')
}

/** The files that a file exports from, they themselves and those they export from in turn. */
function filesOf(file: URL): URL[] {
  const paths = [...read(file).matchAll(/^export \{[^}]*\} from '(\.[^']+)'/gm)].map(([, path = '']) => path)
  return paths.map((path) => new URL(path, file)).flatMap((one) => [one, ...filesOf(one)])
}

function namesOf(index: URL): Set<string> {
  const lists = [...read(index).matchAll(/^export \{([^}]*)\} from/gm)].map(([, names = '']) => names)
  return new Set(lists.flatMap((names) => names.split(',').map((name) => name.trim())))
}

interface Documented {
  doc: FunctionDoc
  /** What the names of types in the function's own file stand for. */
  declarations: ReadonlyMap<string, string>
}

/** The documented functions that an index file exports, by name. */
export function documented(index: string): Documented[] {
  const file = new URL(index, source)
  const names = namesOf(file)
  const texts = filesOf(file).map(read)
  const all = texts.flatMap((text) => [...declarationsOf(text)])
  return texts
    .flatMap((text) => {
      const declarations = new Map([...all, ...declarationsOf(text)])
      return functionsOf(text).map((doc) => ({ doc, declarations }))
    })
    .filter(({ doc }) => names.has(doc.name))
    .toSorted((a, b) => (a.doc.name < b.doc.name ? -1 : 1))
}

/** One section: what it does, errors, options, source, example. Types in `shown` are left out, and added to it. */
export function section({ doc: one, declarations }: Documented, shown: Set<string>): string {
  const types = reachable(one.signature, declarations).filter((name) => !shown.has(name))
  for (const name of types) shown.add(name)
  const code = [one.signature, ...types.map((name) => declarations.get(name))].join('\n\n')
  return [
    `## ${one.name}`,
    one.description,
    one.errors && `**Errors:** ${one.errors}`,
    `\`\`\`ts\n${code}\n\`\`\``,
    one.example && `Example:\n\n\`\`\`ts\n${one.example}\n\`\`\``,
    one.source && `Source: ${one.source}`,
  ]
    .filter(Boolean)
    .join('\n\n')
}

/** Names of the declared types that a text rests on, each before those that it rests on itself. */
function reachable(text: string, declarations: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>()
  const visit = (code: string): void => {
    for (const [name] of code.replaceAll(/\/\*\*[^]*?\*\//g, '').matchAll(/\b[A-Z]\w+/g)) {
      if (found.has(name) || !declarations.has(name)) continue
      found.add(name)
      visit(declarations.get(name) ?? '')
    }
  }
  visit(text)
  return [...found]
}

/** A table of contents: each function with the first sentence about it. */
export function contents(functions: readonly Documented[]): string {
  return functions
    .map(({ doc: { name, description } }) => {
      const [first = ''] = description.replaceAll('\n', ' ').split(/(?<=[.:;])\s/)
      return `- [\`${name}\`](#${name.toLowerCase()}): ${first.replace(/[.:;]$/, '')}`
    })
    .join('\n')
}
