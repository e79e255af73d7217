import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { interpreter, neededLibraries, withoutLibraries } from '../../../src/lab/image-elf.ts'
import { imageArchive, makeLayer, type Entry } from '../../../src/lab/image-layer.ts'
import { packages, recipes } from '../../../src/lab/image-recipes.ts'
import { readArchive } from '../../../src/stack/archive.ts'

const program = '/bin/bash'

describe('the ELF reader', () => {
  it('finds what a program asks for, as the loader of this computer does', () => {
    const listed = execFileSync('ldd', [program], { encoding: 'utf8' })
    for (const name of neededLibraries(readFileSync(program))) assert.ok(listed.includes(name), name)
    assert.ok(listed.includes(interpreter(readFileSync(program)) ?? 'none'))
  })

  it('knows that a library has no loader', () => {
    const library = /=> (\S*libtinfo\S*)/.exec(execFileSync('ldd', [program], { encoding: 'utf8' }))?.[1]
    assert.equal(interpreter(readFileSync(library ?? '')), undefined)
  })

  it('refuses what is no ELF file', () => {
    assert.throws(() => neededLibraries(Buffer.from('#!/bin/sh\necho no program\n')), /not a 64-bit/)
  })

  for (const { path, library, versions, script } of [
    { path: '/bin/grep', library: 'libpcre2-8.so.0', versions: 'without versions', script: '^a' },
    { path: '/bin/sed', library: 'libacl.so.1', versions: 'with versions', script: 's/a/a/' },
  ])
    it(`makes a program that runs without a library it does not use, ${versions}`, () => {
      const file = readFileSync(path)
      const smaller = withoutLibraries(file, [library])
      assert.deepEqual([library, ...neededLibraries(smaller)].toSorted(), neededLibraries(file).toSorted())
      const directory = mkdtempSync(join(tmpdir(), 'bramble-elf-'))
      try {
        const copy = join(directory, 'program')
        writeFileSync(copy, smaller, { mode: 0o755 })
        assert.equal(execFileSync(copy, [script], { input: 'abc\n', encoding: 'utf8' }), 'abc\n')
        assert.ok(!execFileSync('ldd', [copy], { encoding: 'utf8' }).includes(library))
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
})

describe('a layer', () => {
  const entries: Entry[] = [
    { path: '/var/cache/x', type: 'directory', uid: 101 },
    { path: '/bin/tool', type: 'file', mode: 0o755, content: 'tool' },
    { path: '/bin/other', type: 'symlink', target: 'tool' },
    { path: '/tmp', type: 'directory', mode: 0o1777 },
  ]

  it('is the same bytes whatever order its entries come in', async () => {
    const one = await makeLayer(entries)
    const other = await makeLayer(entries.toReversed())
    assert.equal(one.diffId, other.diffId)
  })

  it('has the directories that its entries are in, their owners and modes', async () => {
    const { tar } = await makeLayer(entries)
    const listed = execFileSync('tar', ['-tv', '--numeric-owner'], { input: tar, encoding: 'utf8' })
    const found = listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+\d+ 1970-01-01 \d\d:\d\d/, ''))
    assert.deepEqual(found, [
      'drwxr-xr-x 0/0 bin/',
      'lrwxrwxrwx 0/0 bin/other -> tool',
      '-rwxr-xr-x 0/0 bin/tool',
      'drwxrwxrwt 0/0 tmp/',
      'drwxr-xr-x 0/0 var/',
      'drwxr-xr-x 0/0 var/cache/',
      'drwxr-xr-x 101/101 var/cache/x/',
    ])
  })

  it('is found again in the archive that is made of it', async () => {
    const layer = await makeLayer(entries)
    const config = { Env: ['PATH=/bin'], Entrypoint: ['/bin/tool'], StopSignal: 'SIGQUIT' }
    const directory = mkdtempSync(join(tmpdir(), 'bramble-image-'))
    try {
      const path = join(directory, 'image.tar')
      writeFileSync(path, await imageArchive('bramble/tool:lab', 'arm64', config, [layer]))
      const [image] = (await readArchive(path)).images
      assert.equal(image?.reference, 'bramble/tool:lab')
      assert.equal(image.architecture, 'arm64')
      assert.deepEqual(image.config, config)
      assert.deepEqual(
        image.layers.map(({ diffId }) => diffId),
        [layer.diffId],
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe("the lab's images", () => {
  it('stop by the signal that the official images stop by', () => {
    const signals = recipes.map(({ name, config }) => [name, config.StopSignal])
    assert.deepEqual(Object.fromEntries(signals), {
      nginx: 'SIGQUIT',
      haproxy: 'SIGUSR1',
      keepalived: undefined,
    })
  })

  it('run HAProxy as the user haproxy', () => {
    assert.equal(recipes.find(({ name }) => name === 'haproxy')?.config.User, 'haproxy')
  })

  it('name each package once', () => {
    const names = packages.split(' ')
    assert.equal(new Set(names).size, names.length)
  })
})
