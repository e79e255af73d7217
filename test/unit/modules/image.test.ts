import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { image, loadedImages } from '../../../src/modules/image.ts'
import { collect, tarEntries } from '../../../src/stack/archive-tar.ts'
import { chainIds, readArchive, type Archive } from '../../../src/stack/archive.ts'
import { imageArchive, makeLayer } from '../../../src/lab/image-layer.ts'
import { run, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

/** What Docker answers, as far as it is looked at. */
function answer(tag: string, more: Record<string, unknown> = {}): string {
  const known = { Id: 'sha256:1', Config: {}, RootFS: { Layers: [] }, GraphDriver: { Name: 'overlay2' } }
  return `${JSON.stringify({ ...known, Architecture: 'amd64', RepoTags: [tag], ...more })}\n`
}
const unknown = '{"message":"No such image: nginx:1"}\n'
const pulled = () => image({ reference: 'docker.io/library/nginx:1', from: 'registry' })
const built = () => image({ reference: 'keepalived:1', build: { directory: '/opt/keepalived' } })
const noDaemon = { code: 7, stdout: '' }

describe('image from a registry', () => {
  const make = pulled
  const apply = 'docker pull --quiet nginx:1'
  table([
    { title: 'is so when the host has it', make, seen: answer('nginx:1'), expect: 'ok' },
    { title: 'is pulled when it has not', make, seen: unknown, expect: 'change', apply, diff: '+ nginx:1' },
    { title: 'is a change where no daemon answers', make, seen: noDaemon, expect: 'change' },
    { title: 'is a change where curl is missing', make, seen: { code: 127, stdout: '' }, expect: 'change' },
  ])

  for (const reference of ['', 'a b', '$(id)', '-x', 'a[1-9]', 'a?b'])
    it(`refuses the name ${JSON.stringify(reference)}`, () =>
      assert.throws(() => image({ reference, from: 'registry' }), InputError))
})

describe('image from a Dockerfile', () => {
  const make = built
  const answerBuilt = (context: string): string =>
    answer('keepalived:1', { Config: { Labels: { 'bramble.context': context } } })
  table([
    {
      title: 'is so when it was built from these files',
      make,
      seen: `aa\n${answerBuilt('aa')}`,
      expect: 'ok',
    },
    {
      title: 'is built again when a file changed',
      make,
      seen: `bb\n${answerBuilt('aa')}`,
      expect: 'change',
      diff: '- built from aa\n+ built from bb',
      apply: /docker build --label bramble\.context="\$context" --tag keepalived:1 \/opt\/keepalived/,
    },
    {
      title: 'is built when it is not there',
      make,
      seen: `aa\n${unknown}`,
      expect: 'change',
      diff: '- absent',
    },
    {
      title: 'replaces an image of that name that came from elsewhere',
      make,
      seen: `aa\n${answer('keepalived:1')}`,
      expect: 'change',
      diff: 'something else',
    },
    {
      title: 'is a change where directory and daemon are missing',
      make,
      seen: { code: 7, stdout: '\n' },
      expect: 'change',
    },
  ])

  for (const shell of SHELLS)
    describe(`with ${shell}`, () => {
      const directory = temporary()
      const at = (name: string): string => join(directory.path, "it's", name)
      const context = (): string => {
        const { probe } = image({ reference: 'a:1', build: { directory: join(directory.path, "it's") } })
        return run(probe, { shell }).stdout.split('\n')[0] ?? ''
      }

      it('knows the files of the directory by their names and contents', () => {
        assert.equal(context(), '')
        mkdirSync(at('of mine'), { recursive: true })
        writeFileSync(at('Dockerfile'), 'FROM scratch\n')
        const one = context()
        assert.match(one, /^[0-9a-f]{64}$/)
        assert.equal(context(), one)
        writeFileSync(at('of mine/a file'), 'text')
        const two = context()
        assert.notEqual(two, one)
        writeFileSync(at('of mine/a file'), 'Text')
        assert.notEqual(context(), two)
      })
    })
})

describe('images from archives', () => {
  const directory = temporary()
  const archives: Archive[] = []
  const references = ['lab/one:1', 'lab/two:1']
  before(async () => {
    const base = await makeLayer([{ path: '/base', type: 'file', content: 'base' }])
    for (const reference of references) {
      const own = await makeLayer([{ path: '/own', type: 'file', content: reference }])
      const path = join(directory.path, `${reference.replace('/', '-')}.tar`)
      writeFileSync(
        path,
        await imageArchive(reference, 'amd64', { Env: ['A=b'], Entrypoint: ['/x'] }, [base, own]),
      )
      archives.push(await readArchive(path))
    }
  })
  const make = () => loadedImages({ archives, references })
  const there = (index: number, more: Record<string, unknown> = {}): string => {
    const found = archives[index]?.images[0]
    assert.ok(found)
    const Layers = found.layers.map(({ diffId }) => diffId)
    return answer(found.reference, { Id: found.id, RootFS: { Layers }, Config: found.config, ...more })
  }
  const plan = (...answers: string[]) => make().plan({ code: 0, stdout: answers.join('') })
  const names = async (...answers: string[]): Promise<string[]> => {
    const change = plan(...answers)
    assert.ok(change?.input)
    const path = join(directory.path, 'sent.tar')
    writeFileSync(path, await collect(change.input()))
    const all: string[] = []
    for await (const { name } of tarEntries(path)) all.push(name)
    return all.filter((name) => name.endsWith('layer.tar'))
  }

  it('are so when the host has these ids under these names', () => {
    assert.equal(plan(there(0), there(1)), undefined)
  })

  it('are sent in one go, each layer once, when the host has none', async () => {
    assert.equal((await names(unknown, unknown)).length, 3)
    assert.match(plan(unknown, unknown)?.apply.text ?? '', /docker load --quiet/)
  })

  it('are sent without what the host has of them', async () => {
    const own = archives[1]?.images[0]?.layers[1]?.diffId.replace('sha256:', '')
    assert.deepEqual(await names(there(0), unknown), [`${own}/layer.tar`])
    assert.match(
      plan(there(0), unknown)?.diff ?? '',
      /^- lab\/two:1 absent\n\+ lab\/two:1 sha256:\w+ \(0\.0 MB\)$/,
    )
  })

  it('are loaded again when the name is on another image', () => {
    assert.match(plan(there(0, { Id: 'sha256:2' }), there(1))?.diff ?? '', /^- lab\/one:1 sha256:2\n/)
  })

  it('are a change where no daemon answers', () => {
    assert.ok(make().plan(noDaemon))
  })

  describe("with containerd's image store, whose ids are others", () => {
    const other = { Id: 'sha256:2', GraphDriver: { Name: 'overlayfs' } }

    it('are known by what they are made of', () => {
      assert.equal(plan(there(0, other), there(1, other)), undefined)
    })

    for (const [what, more] of [
      ['other layers', { RootFS: { Layers: chainIds(['a', 'b']) } }],
      ['another entrypoint', { Config: { Env: ['A=b'], Entrypoint: ['/y'] } }],
      ['another architecture', { Architecture: 'arm64' }],
    ] as const)
      it(`are loaded again when the host's has ${what}`, () => {
        assert.ok(plan(there(0, { ...other, ...more }), there(1, other)))
      })

    it('are sent whole', async () => {
      assert.equal((await names(there(0, other), unknown)).length, 2)
    })
  })

  it('are refused by a host of another architecture', () => {
    const change = plan(unknown, unknown)
    assert.ok(change)
    const { code, stderr } = run({ text: `docker() { echo arm64; }\n${change.apply.text}` }, { strict: true })
    assert.equal(code, 1)
    assert.match(stderr, /the archive of lab\/one:1 is for amd64, this host is arm64/)
  })

  it('are refused where one of several is of another architecture', () => {
    const [one, two] = archives
    assert.ok(one && two)
    const images = two.images.map((image) => ({ ...image, architecture: 'arm64' }))
    const mixed = loadedImages({ archives: [one, { ...two, images }], references })
    const change = mixed.plan({ code: 0, stdout: unknown + unknown })
    assert.ok(change)
    const { code, stderr } = run({ text: `docker() { echo amd64; }\n${change.apply.text}` }, { strict: true })
    assert.equal(code, 1)
    assert.match(stderr, /the archive of lab\/two:1 is for arm64, this host is amd64/)
  })

  it('have to be in an archive', () => {
    assert.throws(() => loadedImages({ archives, references: ['lab/three:1'] }), InputError)
    assert.throws(() => loadedImages({ archives, references: [] }), InputError)
  })

  it('are looked at by one curl', () => {
    assert.equal(make().probe.text.match(/curl/g)?.length, 1)
  })
})
