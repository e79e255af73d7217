import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyPatch } from 'diff'
import * as fc from 'fast-check'
import { LocalSession } from '../engine/local-session.ts'
import { over, runLocally } from '../engine/harness.ts'
import { ensureShell, patience, runs, seed, shells } from './settings.ts'
import { kinds, type After, type Before } from './tasks.ts'

function put(path: string, before: Before): void {
  if (before === 'directory') mkdirSync(path)
  else if (before !== 'nothing' && 'link' in before) symlinkSync(before.link, path)
  else if (before !== 'nothing') writeFileSync(path, before.file)
}

function found(path: string): After {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 'nothing'
  if (stat.isSymbolicLink()) return { link: readlinkSync(path) }
  return stat.isDirectory() ? 'directory' : { file: readFileSync(path) }
}

const batch = 6

function connectTo(shell: string): () => Promise<LocalSession> {
  return () => Promise.resolve(new LocalSession({ shell }))
}

for (const shell of shells) {
  describe(`tasks of any name and content, done by ${shell}`, () => {
    before(() => ensureShell(shell))

    it(`are foreseen, done as they say, and clean then (seed ${seed})`, async function () {
      this.timeout(patience(60_000))
      const tasks = fc.uniqueArray(fc.oneof(...Object.values(kinds)), {
        minLength: batch,
        maxLength: batch,
        selector: ({ name }) => name,
      })
      await fc.assert(
        fc.asyncProperty(tasks, async (all) => {
          const folder = mkdtempSync(join(tmpdir(), 'bramble-tasks-'))
          try {
            for (const { name, before } of all) put(join(folder, name), before)
            const play = over(() => all.map(({ name, make }) => make(join(folder, name))))
            const foreseen = await runLocally([play], { connect: connectTo(shell), check: true })
            const first = await runLocally([play], { connect: connectTo(shell) })
            assert.deepEqual(first.reasons, {})
            for (const [index, { kind, name, before, after }] of all.entries()) {
              const was = typeof before === 'object' && 'file' in before ? before.file : undefined
              const wanted = after(was)
              assert.deepEqual(found(join(folder, name)), wanted, kind)
              const [shown, done] = [foreseen.tasks[index], first.tasks[index]]
              assert.equal(shown?.status, done?.status, kind)
              assert.equal(shown?.diff, done?.diff, kind)
              const edit = done?.diff ?? ''
              if (edit.includes('\n@@ ') && typeof wanted === 'object' && 'file' in wanted) {
                const patch = edit.slice(edit.search(/^--- /m))
                assert.equal(
                  applyPatch((was ?? '').toString(), patch, { autoConvertLineEndings: false }),
                  wanted.file.toString(),
                  `the diff of a ${kind}`,
                )
              }
            }
            const second = await runLocally([play], { connect: connectTo(shell) })
            assert.deepEqual([second.titles('changed'), second.reasons], [[], {}])
          } finally {
            rmSync(folder, { recursive: true })
          }
        }),
        runs(1 / 30, batch),
      )
    })
  })
}
