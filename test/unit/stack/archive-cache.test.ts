import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { readArchives } from '../../../src/stack/archive-cache.ts'
import { readArchive } from '../../../src/stack/archive.ts'

describe('what archives hold', () => {
  let directory = ''
  let archive = ''
  let cache = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-archives-'))
    archive = join(directory, 'nginx.tar')
    cache = join(directory, 'cache/archives.json')
    save('example/nginx:1')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function save(reference: string): void {
    const config = { architecture: 'arm64', config: {}, rootfs: { diff_ids: [] } }
    const manifest = [{ Config: 'config.json', RepoTags: [reference], Layers: [] }]
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest))
    execFileSync('tar', ['-cf', archive, '-C', directory, 'manifest.json', 'config.json'])
  }

  const references = async () => {
    const archives = await readArchives([archive], cache)
    return archives.flatMap(({ images }) => images.map(({ reference }) => reference))
  }

  it('is the same from the archives and from what was kept of them', async () => {
    const read = await readArchive(archive)
    assert.deepEqual(await readArchives([archive], cache), [read])
    assert.deepEqual(await readArchives([archive], cache), [read])
  })

  it('is read once from an archive that stays as it is', async () => {
    utimesSync(archive, 1e9, 1e9)
    await references()
    writeFileSync(archive, Buffer.alloc(statSync(archive).size))
    utimesSync(archive, 1e9, 1e9)
    assert.deepEqual(await references(), ['example/nginx:1'])
  })

  it('is read again from an archive that was saved again', async () => {
    await references()
    save('example/nginx:22')
    assert.deepEqual(await references(), ['example/nginx:22'])
  })

  it('is read from the archives when what was kept is cut off', async () => {
    await references()
    writeFileSync(cache, readFileSync(cache, 'utf8').slice(0, 20))
    assert.deepEqual(await references(), ['example/nginx:1'])
  })

  it('needs no place to be kept in', async () => {
    writeFileSync(join(directory, 'cache'), 'a file where the folder would be')
    assert.deepEqual(await references(), ['example/nginx:1'])
  })

  it('is not kept of an archive that is damaged', async () => {
    writeFileSync(archive, 'no archive at all')
    await assert.rejects(references(), InputError)
    await assert.rejects(references(), /cannot be read as an archive of docker save/)
  })
})
