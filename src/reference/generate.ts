/**
 * Writes the reference pages in docs/ from the schema of the inventory and the docstrings.
 *
 * @module
 * @example npx tsx src/reference/generate.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'
import { settingsJsonSchema } from '../inventory/index.ts'
import { declarationsOf } from './docstrings.ts'
import { contents, documented, section } from './functions.ts'
import { settingsReference } from './settings.ts'

const root = new URL('../../', import.meta.url)
const style = { semi: false, singleQuote: true, printWidth: 110 } as const

/** The pages by their path in the project. */
export async function reference(): Promise<Record<string, string>> {
  const pages = {
    'docs/settings.md': settingsReference(),
    // A module's section tells all by itself; on the other page a type that many rest on stands once.
    'docs/modules.md': page('modules/index.ts', modulesIntro(), () => new Set()),
    'docs/playbooks.md': page('playbook/index.ts', playbooksIntro(), always(new Set())),
    'docs/settings.schema.json': JSON.stringify(settingsJsonSchema()),
  }
  const formatted = Object.entries(pages).map(async ([path, text]) => {
    return [path, await format(text, { ...style, filepath: path })] as const
  })
  return Object.fromEntries(await Promise.all(formatted))
}

function always<T>(value: T): () => T {
  return () => value
}

function page(index: string, intro: string, shown: () => Set<string>): string {
  const functions = documented(index)
  const sections = functions.map((one) => section(one, shown()))
  return [intro, contents(functions), ...sections].join('\n\n')
}

/** Types of a source file, one after another. */
function types(path: string, ...names: string[]): string {
  const declarations = declarationsOf(readFileSync(new URL(path, root), 'utf8'))
  return `\`\`\`ts\n${names.map((name) => declarations.get(name)).join('\n\n')}\n\`\`\``
}

function modulesIntro(): string {
  return `# Modules

Made from the docstrings in \`src/modules/\` by \`npx tsx src/reference/generate.ts\`.

What a play's \`tasks\` may yield. Each is imported from \`bramble\`, takes its options and returns a \`Resource\`. A module reads first and changes only what is not as it shall be. Options that are no good are an \`InputError\`, found before any connection is opened. Every module takes these besides its own:

${types('src/playbook/resource.ts', 'Common', 'Handler')}`
}

function playbooksIntro(): string {
  return `# What playbooks are made of

Made from the docstrings in \`src/playbook/\` and \`src/stack/\` by \`npx tsx src/reference/generate.ts\`; the modules have [a page of their own](modules.md).

A file of \`playbooks/\` exports a playbook, or a function that is given the cluster and returns one. [The settings](settings.md) are those of the inventory.

${types('src/inventory/types.ts', 'Cluster', 'Host', 'HostSettings')}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(await reference())) writeFileSync(new URL(path, root), text)
}
