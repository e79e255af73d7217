import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { archiveStream } from '../../../src/stack/archive-stream.ts'
import { collect } from '../../../src/stack/archive-tar.ts'
import { chainIds, familiar, readArchive } from '../../../src/stack/archive.ts'

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
const base = 'the base layer'
const top = 'what is on top'
const diffIds = [base, top].map((text) => `sha256:${sha(text)}`)
const configOf = (entrypoint: string, layers: string[]): string =>
  JSON.stringify({
    architecture: 'arm64',
    os: 'linux',
    config: { Entrypoint: [entrypoint] },
    rootfs: { type: 'layers', diff_ids: layers },
  })
const config = configOf('one', diffIds)
const other = configOf('other', diffIds.slice(0, 1))
const item = (Config: string, tag: string, ...Layers: string[]): unknown => ({
  Config,
  RepoTags: [tag],
  Layers,
})
const blob = (text: string): string => `blobs/sha256/${sha(text)}`
const layer = (text: string): string => `${sha(text)}/layer.tar`

describe('an archive of images', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-archive-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  /** An archive of these files, made by tar itself; a name that ends in @ is a link. */
  function archive(name: string, files: Record<string, string>, ...options: string[]): string {
    const root = join(directory, `${name}.d`)
    for (const [file, text] of Object.entries(files)) {
      const path = join(root, file.replace('@', ''))
      mkdirSync(dirname(path), { recursive: true })
      if (file.endsWith('@')) symlinkSync(text, path)
      else writeFileSync(path, text)
    }
    const path = join(directory, name)
    execFileSync('tar', ['-c', ...options, '-f', path, '-C', root, '.'])
    return path
  }

  const legacy = {
    'manifest.json': JSON.stringify([
      item('one.json', 'example/one:1', 'aa/layer.tar', 'bb/layer.tar'),
      item('other.json', 'example/other:1', 'cc/layer.tar'),
    ]),
    'one.json': config,
    'other.json': other,
    'aa/layer.tar': base,
    'bb/layer.tar': top,
    'cc/layer.tar@': '../aa/layer.tar',
  }
  const modern = {
    'manifest.json': JSON.stringify([item(blob(config), 'example/one:1', blob(base), blob(top))]),
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    [blob(config)]: config,
    [blob(base)]: base,
    [blob(top)]: top,
  }

  for (const [layout, files, options] of [
    ['of the legacy layout', legacy, []],
    ['of the OCI layout', modern, []],
    ['that is gzipped', legacy, ['-z']],
  ] as const)
    it(`${layout} tells its images, their ids and layers`, async () => {
      const { images } = await readArchive(archive(layout, files, ...options))
      const [image] = images
      assert.equal(image?.reference, 'example/one:1')
      assert.equal(image.id, `sha256:${sha(config)}`)
      assert.equal(image.architecture, 'arm64')
      assert.deepEqual(image.config, { Entrypoint: ['one'] })
      assert.deepEqual(
        image.layers.map(({ diffId, size }) => [diffId, size]),
        [base, top].map((text) => [`sha256:${sha(text)}`, text.length]),
      )
    })

  it('follows the links that docker save makes of layers that are there twice', async () => {
    const { images } = await readArchive(archive('links', legacy))
    assert.equal(images[1]?.layers[0]?.path, 'aa/layer.tar')
  })

  for (const [what, files, message] of [
    ['lacks its manifest', { 'one.json': config }, /no whole archive/],
    [
      'lacks a layer',
      { ...legacy, 'manifest.json': JSON.stringify([item('one.json', 'a:1', 'aa/layer.tar', 'no')]) },
      /no whole archive/,
    ],
    [
      'has too few layers',
      { ...legacy, 'manifest.json': JSON.stringify([item('one.json', 'a:1', 'aa/layer.tar')]) },
      /damaged/,
    ],
    ['has a broken manifest', { ...legacy, 'manifest.json': '[{]' }, /not what docker save writes/],
    [
      'has no named image',
      { ...legacy, 'manifest.json': '[{"Config":"other.json","RepoTags":null,"Layers":["aa/layer.tar"]}]' },
      /has a name/,
    ],
  ] as const)
    it(`that ${what} is refused`, async () => {
      const path = archive(what, files)
      await assert.rejects(
        readArchive(path),
        (error) => error instanceof InputError && message.test(error.message),
      )
    })

  it('that is none, or is not there, is refused', async () => {
    const path = join(directory, 'text')
    writeFileSync(path, 'no archive at all\n'.repeat(100))
    await assert.rejects(readArchive(path), InputError)
    await assert.rejects(readArchive(join(directory, 'nowhere.tar')), /cannot be read/)
  })

  /** What the stream holds, by name, as tar reads it. */
  async function sent(
    wanted: string[],
    has = new Set<string>(),
    options: string[] = [],
  ): Promise<Map<string, string>> {
    const archives = [
      await readArchive(archive('sent', legacy, ...options)),
      await readArchive(archive('more', modern)),
    ]
    const input = await collect(archiveStream(archives, wanted, has))
    const names = execFileSync('tar', ['-t'], { input, encoding: 'utf8' }).trim().split('\n')
    const text = (name: string): string => execFileSync('tar', ['-xO', name], { input, encoding: 'utf8' })
    assert.equal(new Set(names).size, names.length, 'something is in it twice')
    return new Map(names.map((name) => [name, text(name)]))
  }
  for (const options of [[], ['-z']])
    it(`sends each layer once${options.length > 0 ? ', unzipped' : ''}`, async () => {
      const files = await sent(['example/one:1', 'example/other:1'], new Set(), options)
      const { 'manifest.json': manifest = '', ...rest } = Object.fromEntries(files)
      assert.deepEqual(rest, {
        [`${sha(config)}.json`]: config,
        [`${sha(other)}.json`]: other,
        [layer(base)]: base,
        [layer(top)]: top,
      })
      assert.deepEqual(JSON.parse(manifest), [
        item(`${sha(config)}.json`, 'example/one:1', layer(base), layer(top)),
        item(`${sha(other)}.json`, 'example/other:1', layer(base)),
      ])
    })

  it('sends only what the wanted images need', async () => {
    assert.deepEqual(
      [...(await sent(['example/other:1'])).keys()],
      ['manifest.json', `${sha(other)}.json`, layer(base)],
    )
  })

  it('leaves out the layers that the host has below the same layers', async () => {
    const has = new Set(chainIds(diffIds.slice(0, 1)))
    const names = [...(await sent(['example/one:1'], has)).keys()]
    assert.deepEqual(names, ['manifest.json', `${sha(config)}.json`, layer(top)])
  })

  it('sends a layer that the host has only on top of other layers', async () => {
    const has = new Set(chainIds([diffIds[1] ?? '', diffIds[0] ?? '']).slice(1))
    assert.ok((await sent(['example/one:1'], has)).has(layer(base)))
  })

  it('says which images there are when a wanted one is not', async () => {
    const archives = [await readArchive(archive('few', modern))]
    assert.throws(
      () => archiveStream(archives, ['example/none:1'], new Set()),
      (error) => error instanceof InputError && /example\/one:1 in/.test(error.describe()),
    )
  })

  it('fails the stream when the archive went away meanwhile', async () => {
    const read = await readArchive(archive('gone', modern))
    rmSync(read.path)
    await assert.rejects(archiveStream([read], ['example/one:1'], new Set()).toArray(), /ENOENT/)
  })
})

describe('familiar', () => {
  for (const [reference, expected] of [
    ['nginx', 'nginx:latest'],
    ['nginx:1.28', 'nginx:1.28'],
    ['docker.io/library/nginx:1.28', 'nginx:1.28'],
    ['docker.io/bitnami/nginx', 'bitnami/nginx:latest'],
    ['pi.lan:5000/nginx', 'pi.lan:5000/nginx:latest'],
    ['nginx@sha256:00', 'nginx@sha256:00'],
  ] as const)
    it(`calls ${reference} ${expected}`, () => assert.equal(familiar(reference), expected))
})
