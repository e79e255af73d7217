import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { firstPage } from '../../playbooks/nfs.ts'
import { buildLabImages } from '../../src/lab/images.ts'
import { hostArch } from '../../src/lab/machines.ts'
import { until } from '../../src/lab/wait.ts'
import { cache } from '../light-tree.ts'
import { startMirrorHost, type MirrorHost, type Settings } from '../mirror-host.ts'
import { ensurePackages } from '../packages.ts'
import { longestGap, type Answer } from '../watch.ts'

const images = join(cache, 'images')
const paths = ['/', '/', '/', '/']

/** What was served, in order, each change once. */
function sources(answers: readonly Answer[]): string[] {
  const all = answers.map(({ content }) => content ?? 'none')
  return all.filter((one, index) => one !== all[index - 1])
}

describe('the mirror of the share', function () {
  this.timeout(120_000)
  let host: MirrorHost
  before(async () => {
    await ensurePackages({ bindfs: 'bindfs', rsync: 'rsync', curl: 'curl' })
    await buildLabImages(images, hostArch(), () => undefined)
  })
  afterEach(() => host?.stop())

  async function begin(files: Record<string, string>, settings: Settings = {}): Promise<void> {
    host = await startMirrorHost(images, files, settings)
    await until('the share to be served', 10_000, () => host.state()['source'] === 'nfs')
  }
  const mirrored = (name: string, text: string) =>
    until(`${name} in the mirror`, 60_000, () => {
      const path = join(host.mirror, 'current', name)
      return existsSync(path) && readFileSync(path, 'utf8') === text
    })

  it('is not served while the share is well: what is new there is seen at once', async () => {
    await begin({ 'index.html': 'one' }, { refresh_interval: 1000 })
    await mirrored('index.html', 'one')
    writeFileSync(join(host.content, 'index.html'), 'two')
    const { status, content, body } = await host.ask('/')
    assert.deepEqual([status, content, body], [200, 'nfs', 'two'])
    assert.deepEqual([(await host.ask('/none')).status, (await host.ask('/healthz')).body], [404, 'ok\n'])
  })

  for (const does of ['hang', 'die'] as const) {
    it(`is served within five seconds of the server's ${does === 'hang' ? 'silence' : 'death'}, without a failed request`, async () => {
      await begin({ 'index.html': 'one' })
      await mirrored('index.html', 'one')
      const watch = await host.watch(...paths)
      await host.server(does)
      await until('the mirror to be served', 5000, () => host.state()['source'] === 'mirror')
      assert.match(host.state()['reason'] ?? '', /^the share /)
      await delay(3000)
      writeFileSync(join(host.content, 'index.html'), 'two')
      await host.server('back')
      await until('the share to be served', 10_000, () => host.state()['source'] === 'nfs')
      await delay(500)
      const answers = await watch.stop()
      const { ms } = longestGap(answers)
      console.log(`      ${answers.length} requests, longest gap ${ms} ms`)
      assert.deepEqual(
        answers.filter(({ status }) => status !== 200),
        [],
      )
      assert.ok(ms <= 5000, `${ms} ms`)
      assert.deepEqual(sources(answers).filter((one) => one === 'mirror').length > 0, true)
      assert.equal(answers.at(-1)?.content, 'nfs')
      assert.equal(answers.at(-1)?.body, 'two')
      for (const { content, body, url } of answers) if (content === 'mirror') assert.equal(body, 'one', url)
    })
  }

  it('is served from the moment on when the share is unmounted, without a failed request', async () => {
    await begin({ 'index.html': 'one', 'rose.html': 'red' })
    await mirrored('rose.html', 'red')
    assert.equal((await host.ask('/thorn.html')).status, 404)
    const watch = await host.watch('/', '/rose.html')
    const told = host.log().length
    await host.unmount()
    await until('the share to be served again', 10_000, () =>
      host.log().slice(told).includes('the share is served'),
    )
    const answers = await watch.stop()
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    )
    assert.deepEqual([...new Set(answers.map(({ body }) => body))].toSorted(), ['one', 'red'])
    assert.ok(answers.some(({ content }) => content === 'mirror'))
  })

  it('has the rest of a share where a file grows all the while, and no half of that', async () => {
    host = await startMirrorHost(images, { 'index.html': 'one', growing: '' }, { refresh_interval: 1 })
    const growing = join(host.content, 'growing')
    const grow = setInterval(() => appendFileSync(growing, 'x'), 50)
    try {
      await mirrored('index.html', 'one')
      assert.equal(existsSync(join(host.mirror, 'current/growing')), false)
    } finally {
      clearInterval(grow)
    }
    await mirrored('growing', readFileSync(growing, 'utf8'))
  })

  it('is whole at each moment, while new versions of a site are put into the share file by file', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `page-${index}.html`)
    await begin(Object.fromEntries(names.map((name) => [name, 'version 0'])))
    await mirrored('page-59.html', 'version 0')
    const seen = new Set<string>()
    const progress = { writing: true }
    const write = async () => {
      for (const version of [1, 2, 3]) {
        for (const name of names) {
          writeFileSync(join(host.content, `.${name}`), `version ${version}`)
          renameSync(join(host.content, `.${name}`), join(host.content, name))
          await delay(30)
        }
        await mirrored('page-59.html', `version ${version}`)
      }
      progress.writing = false
    }
    const written = write()
    for (let last = false; !last;) {
      last = !progress.writing
      const copy = join(host.mirror, readlinkSync(join(host.mirror, 'current')))
      try {
        const texts = new Set(readdirSync(copy).map((name) => readFileSync(join(copy, name), 'utf8')))
        assert.deepEqual([texts.size, readdirSync(copy).length], [1, names.length], [...texts].join())
        for (const text of texts) seen.add(text)
      } catch (error) {
        // It was replaced while it was read.
        if (copy.endsWith(readlinkSync(join(host.mirror, 'current')))) throw error
      }
      await delay(20)
    }
    await written
    assert.deepEqual([...seen], ['version 0', 'version 1', 'version 2', 'version 3'])
  })

  it('takes the place of a share that has become empty, and gives way when it is removed itself', async () => {
    await begin({ 'index.html': 'one' })
    await mirrored('index.html', 'one')
    rmSync(join(host.content, 'index.html'))
    await until('the mirror to be served', 5000, () => host.state()['source'] === 'mirror')
    assert.equal(host.state()['reason'], 'the share is empty, and the mirror is not')
    assert.deepEqual((await host.ask('/')).body, 'one')
    await delay(2500)
    assert.deepEqual((await host.ask('/')).body, 'one')
    rmSync(join(host.mirror, 'current'))
    await until('the share to be served', 5000, () => host.state()['source'] === 'nfs')
  })

  it('takes the place of a new share that holds only the first page, and gives way to what comes into it', async () => {
    await begin({ 'index.html': 'one' })
    await mirrored('index.html', 'one')
    writeFileSync(join(host.content, 'index.html'), `${firstPage}\n`)
    await until('the mirror to be served', 5000, () => host.state()['source'] === 'mirror')
    await delay(2500)
    assert.deepEqual((await host.ask('/')).body, 'one')
    writeFileSync(join(host.content, 'index.html'), 'two')
    await until('the share to be served', 5000, () => host.state()['source'] === 'nfs')
    await mirrored('index.html', 'two')
  })

  it('is a copy of the first page as well, where there was nothing before', async () => {
    await begin({ 'index.html': `${firstPage}\n` })
    await mirrored('index.html', `${firstPage}\n`)
    assert.equal(host.state()['source'], 'nfs')
  })

  it('stays what it was when the share outgrows it, and says why', async () => {
    await begin({ 'index.html': 'one' }, { max_size_mb: 1 })
    await mirrored('index.html', 'one')
    // What a copy that was cut short has left would be missing from what is free.
    mkdirSync(join(host.mirror, '1234.5'))
    writeFileSync(join(host.content, 'film'), Buffer.alloc(1_500_000))
    await until('an error', 20_000, () => 'error' in host.state())
    assert.equal(host.state()['error'], 'the share has 1 MB, more than mirror.max_size_mb, 1')
    assert.deepEqual(readdirSync(join(host.mirror, 'current')), ['index.html'])
    assert.ok(!existsSync(join(host.mirror, '1234.5')))
    rmSync(join(host.content, 'film'))
    writeFileSync(join(host.content, 'index.html'), 'two')
    await mirrored('index.html', 'two')
    await until('no error', 20_000, () => !('error' in host.state()))
  })

  it('is served after a power cut of its own node, with no server to ask', async () => {
    await begin({ 'index.html': 'one' })
    await mirrored('index.html', 'one')
    await host.server('die')
    // The file is removed at boot, by systemd-tmpfiles.
    await host.restart(() => rmSync(join(host.mirror, 'nfs'), { force: true }))
    const { status, content, body } = await host.ask('/')
    assert.deepEqual([status, content, body], [200, 'mirror', 'one'])
  })

  it('is not needed when only its service ends', async () => {
    await begin({ 'index.html': 'one' })
    await mirrored('index.html', 'one')
    const watch = await host.watch('/')
    await host.restart()
    await delay(2500)
    assert.deepEqual(sources(await watch.stop()), ['nfs'])
  })

  it('is removed when none is wanted any more', async () => {
    await begin({ 'index.html': 'one' })
    await mirrored('index.html', 'one')
    const script = join(host.content, '../content.sh')
    await host.restart(() =>
      writeFileSync(script, readFileSync(script, 'utf8').replace(/^max_mb=.*$/m, 'max_mb=0')),
    )
    assert.ok(!existsSync(join(host.mirror, 'current')))
    assert.equal(host.state()['refreshed'], undefined)
  })

  it('that is not there is no reason to say that pages are not there', async () => {
    host = await startMirrorHost(images, {}, { max_size_mb: 0 })
    await host.server('die').catch(() => undefined)
    await until('the share to be away', 15_000, () => host.state()['source'] === 'mirror')
    assert.equal((await host.ask('/')).status, 503)
  })
})
