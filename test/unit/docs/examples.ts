import { documented } from '../../../src/reference/functions.ts'

/** What the examples of docstrings may name besides what a playbook imports from `bramble`. */
const scope = `import type { Archive } from '../src/stack/archive.ts'

export interface Scope {
  cluster: bramble.Cluster
  facts: bramble.FactStore
  context: bramble.Context
  model: ReturnType<typeof bramble.stackModel>
  readArchive: (path: string) => Promise<Archive>
  docker: bramble.Playbook
  swarm: bramble.Playbook
  packages: bramble.Playbook
}
`

/** Every documented function that has an example, with the example. */
export function examples(): Map<string, string> {
  const all = ['modules/index.ts', 'playbook/index.ts'].flatMap(documented)
  return new Map(all.flatMap(({ doc }) => (doc.example === '' ? [] : [[doc.name, doc.example]])))
}

/** A file that exports each example as a function of the scope; `names` are the values that it imports. */
export function examplesFile(names: readonly string[]): string {
  const functions = [...examples()].map(
    ([name, code]) => `  ${name}: async (scope) => {\n${body(code)}\n  },`,
  )
  return `import type * as bramble from '../src/playbook/index.ts'
import { ${names.join(', ')} } from '../src/playbook/index.ts'
import type { Resource } from '../src/playbook/index.ts'
${scope}
export const examples: Record<string, (scope: Scope) => Promise<unknown>> = {
${functions.join('\n')}
}
`
}

function body(code: string): string {
  const inScope = ['cluster', 'facts', 'context', 'model', 'readArchive', 'docker', 'swarm', 'packages']
  const named = inScope.filter((name) => new RegExp(String.raw`\b${name}\b`).test(code))
  const constant = /^(?:export )?const (\w+)/.exec(code)?.[1]
  if (constant !== undefined) return `${code.replace(/^export /, '')}\nreturn ${constant}`
  const expression = code.replace(/^export default /, '')
  return `const { ${named.join(', ')} } = scope\nreturn (\n${expression}\n)`
}
