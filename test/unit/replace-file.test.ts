import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../src/errors.ts'
import { replaceFile } from '../../src/replace-file.ts'

describe('a file that is replaced', () => {
  let folder = ''
  const path = (name: string) => join(folder, name)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bramble-replace-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('keeps its mode, is another file than before, and has nothing beside it', () => {
    writeFileSync(path('hosts.yml'), 'old')
    chmodSync(path('hosts.yml'), 0o640)
    const { ino } = statSync(path('hosts.yml'))
    replaceFile(path('hosts.yml'), 'new')
    const now = statSync(path('hosts.yml'))
    assert.deepEqual([readFileSync(path('hosts.yml'), 'utf8'), now.mode & 0o7777], ['new', 0o640])
    assert.notEqual(now.ino, ino)
    assert.deepEqual(readdirSync(folder), ['hosts.yml'])
  })

  it('gets the mode that is asked for, as does a new one', () => {
    writeFileSync(path('old'), 'old', { mode: 0o644 })
    for (const name of ['old', 'new']) {
      replaceFile(path(name), 'new', 0o600)
      assert.equal(statSync(path(name)).mode & 0o7777, 0o600)
    }
  })

  it('stays where a symbolic link leads to', () => {
    mkdirSync(path('real'))
    writeFileSync(path('real/hosts.yml'), 'old')
    symlinkSync('real/hosts.yml', path('link'))
    symlinkSync('link', path('hosts.yml'))
    replaceFile(path('hosts.yml'), 'new')
    assert.ok(lstatSync(path('hosts.yml')).isSymbolicLink())
    assert.equal(readFileSync(path('real/hosts.yml'), 'utf8'), 'new')
    assert.deepEqual(readdirSync(path('real')), ['hosts.yml'])
  })

  it('keeps its owner', function () {
    if (process.getuid?.() !== 0) this.skip()
    writeFileSync(path('hosts.yml'), 'old')
    chownSync(path('hosts.yml'), 1234, 2345)
    replaceFile(path('hosts.yml'), 'new')
    const { uid, gid } = statSync(path('hosts.yml'))
    assert.deepEqual([uid, gid], [1234, 2345])
  })

  it('is as it was where it cannot be written, and the error names it', () => {
    mkdirSync(path('hosts.yml'))
    assert.throws(
      () => replaceFile(path('hosts.yml'), 'new'),
      (error) => error instanceof InputError && error.message === `${path('hosts.yml')} cannot be written`,
    )
    assert.deepEqual(readdirSync(folder), ['hosts.yml'])
  })
})
