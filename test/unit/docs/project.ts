import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The fenced blocks of a Markdown text in one language. */
export function blocks(text: string, language: string): string[] {
  const fences = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...text.matchAll(fences)].map(([, code = '']) => code)
}

/** The code in a Markdown text that names its file in the first line, by that name. */
export function files(text: string): Record<string, string> {
  return Object.fromEntries(
    blocks(text, 'ts').flatMap((code) => {
      const path = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1]
      return path === undefined ? [] : [[path, code]]
    }),
  )
}

/** A copy of what compiles and tests a module, with some files more. */
export function copyProject(more: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'bramble-docs-'))
  const parts = ['package.json', 'tsconfig.json', '.mocharc.json', 'src', 'test/unit/modules/table.ts']
  for (const part of parts) cpSync(join(root, part), join(directory, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  for (const [path, text] of Object.entries(more)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}
