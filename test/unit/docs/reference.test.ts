import assert from 'node:assert/strict'
import { reference } from '../../../src/reference/generate.ts'
import * as modules from '../../../src/modules/index.ts'
import { read } from './project.ts'

describe('the reference', () => {
  for (const path of [
    'docs/settings.md',
    'docs/modules.md',
    'docs/playbooks.md',
    'docs/settings.schema.json',
  ]) {
    it(`${path} is what npx tsx src/reference/generate.ts makes now`, async () => {
      assert.equal(read(path), (await reference())[path])
    })
  }

  it('has a section for every module', () => {
    const sections = [...read('docs/modules.md').matchAll(/^## (\w+)$/gm)].map(([, name]) => name)
    assert.deepEqual(sections, Object.keys(modules).toSorted())
  })
}).timeout(60_000)
