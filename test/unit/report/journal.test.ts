import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { journal } from '../../../src/report/journal.ts'
import { changing } from './events.ts'

describe('journal', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'journal-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('keeps every event on a line, without secrets, for its owner only', () => {
    const { listener, path } = journal(join(directory, 'runs'))
    changing(false).forEach(listener)
    const text = readFileSync(path, 'utf8')
    assert.equal(text.trimEnd().split('\n').length, changing(false).length)
    assert.doesNotMatch(text, /swordfish/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
    assert.match(path, new RegExp(`/runs/\\d{8}T\\d{6}\\.\\d{3}Z-${process.pid}/events\\.jsonl$`))
  })

  it('writes nothing before the first event', () => {
    const { path } = journal(join(directory, 'runs'))
    assert.equal(existsSync(join(directory, 'runs')), false)
    assert.equal(existsSync(path), false)
  })

  it('keeps the last 20 runs and whatever else is in the directory', () => {
    const old = Array.from(
      { length: 25 },
      (_, day) => `202501${String(day + 1).padStart(2, '0')}T000000.000Z-7`,
    )
    for (const name of [...old, 'notes']) mkdirSync(join(directory, name))
    changing(false).forEach(journal(directory).listener)
    const left = readdirSync(directory)
    assert.equal(left.length, 21)
    assert.ok(left.includes('notes'))
    assert.deepEqual(left.slice(0, 19), old.slice(6))
  })

  it('warns once and lets the run go on when it cannot write', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    const warned: string[] = []
    const collect = (warning: Error): void => void warned.push(warning.message)
    process.on('warning', collect)
    try {
      changing(false).forEach(journal(join(file, 'runs')).listener)
      // Warnings are told on the next tick.
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('warning', collect)
    }
    assert.equal(warned.length, 1)
    assert.match(warned[0] ?? '', /^the journal .* cannot be written: .*ENOTDIR/)
  })
})
