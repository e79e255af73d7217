import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** How mocha itself finds files; what matches none it only warns of. */
const { lookupFiles } = createRequire(import.meta.url)('mocha/lib/cli/lookup-files') as {
  lookupFiles: (pattern: string, extensions: string[]) => string[]
}

describe('test/run', () => {
  it('has every test file under exactly one of its patterns', () => {
    const text = readFileSync('test/run', 'utf8')
    const patterns = ['unit', 'e2e', 'longest', 'integration'].map((name) => {
      return new RegExp(`\\b${name}='([^']+)'`).exec(text)?.[1] ?? name
    })
    const found = patterns.flatMap((pattern) => lookupFiles(pattern, ['.ts']))
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    assert.deepEqual(
      found.toSorted(),
      files.flatMap((file) => (file.endsWith('.test.ts') ? [`test/${file}`] : [])).toSorted(),
    )
  })
})
