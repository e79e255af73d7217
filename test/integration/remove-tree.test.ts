import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTree } from '../../src/lab/remove-tree.ts'
import { run } from '../../src/lab/run.ts'

describe('what an interrupted build of an image left', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bramble-tree-'))
  const precious = join(directory, 'precious')
  const tree = join(directory, 'a build with\ttab')

  after(() => rmSync(directory, { recursive: true }))

  it('is removed, and nothing of what is still mounted in it', async () => {
    mkdirSync(precious)
    writeFileSync(join(precious, 'file'), 'kept')
    mkdirSync(join(tree, 'root/dev/shm'), { recursive: true })
    await run(['mount', '--bind', precious, join(tree, 'root/dev')])
    mkdirSync(join(tree, 'root/dev/inner'))
    await run(['mount', '-t', 'tmpfs', 'tmpfs', join(tree, 'root/dev/inner')])
    await removeTree(tree)
    assert.equal(existsSync(tree), false)
    assert.equal(readFileSync(join(precious, 'file'), 'utf8'), 'kept')
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /bramble-tree-/)
  })

  it('may be gone already', async () => {
    await removeTree(tree)
  })
})
