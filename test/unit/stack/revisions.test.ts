import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { loadInventory, type Cluster } from '../../../src/inventory/index.ts'
import type { ArchiveImage } from '../../../src/stack/archive.ts'
import { imageRevisions } from '../../../src/stack/revisions.ts'

const image = (reference: string, id: string): ArchiveImage => ({
  reference,
  id,
  architecture: 'arm64',
  config: {},
  json: Buffer.alloc(0),
  layers: [],
})

const template = (name: string) => ({ name, text: name })
const other = (name: string) => ({ name, text: name.endsWith('Dockerfile') ? 'FROM scratch' : name })

describe('the revisions of images', () => {
  let cluster: Cluster
  before(async () => {
    cluster = await loadInventory('inventory')
  })

  const withImages = (images: Partial<Cluster['settings']['images']>): Cluster =>
    Object.assign(Object.create(cluster) as Cluster, {
      settings: { ...cluster.settings, images: { ...cluster.settings.images, ...images } },
    })

  it('are told by the archives where there are some', () => {
    const archives = [
      {
        path: 'all.tar',
        images: [
          image('nginx:1.28-alpine', 'sha256:1'),
          image('haproxy:3.2-alpine', 'sha256:2'),
          image('localhost/bramble-keepalived:local', 'sha256:3'),
        ],
      },
    ]
    const from = withImages({ archives: '/images', keepalived_build: false })
    assert.deepEqual(imageRevisions({ cluster: from, archives, template }), {
      haproxy: 'sha256:2',
      keepalived: 'sha256:3',
      nginx: 'sha256:1',
    })
    assert.throws(() => imageRevisions({ cluster: from, archives: [], template }), InputError)
  })

  it('change for Keepalived with what it is built from; a registry tells those of the others', () => {
    const built = imageRevisions({ cluster, archives: [], template })
    assert.deepEqual(Object.keys(built), ['keepalived'])
    assert.notEqual(imageRevisions({ cluster, archives: [], template: other }).keepalived, built.keepalived)
    assert.deepEqual(imageRevisions({ cluster, archives: [], template }), built)
  })
})
