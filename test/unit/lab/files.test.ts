import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { baseDirectory, pruneBases } from '../../../src/lab/base.ts'
import { afterPackages, beforePackages } from '../../../src/lab/recipe.ts'
import { seedArchive } from '../../../src/lab/seed.ts'
import type { LabState } from '../../../src/lab/state.ts'
import { labPaths, readState, writeState } from '../../../src/lab/state.ts'

describe('the files of a lab', () => {
  const before = process.env['BRAMBLE_LAB_DIR']
  let directory = ''

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-lab-test-'))
    process.env['BRAMBLE_LAB_DIR'] = directory
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
    if (before === undefined) delete process.env['BRAMBLE_LAB_DIR']
    else process.env['BRAMBLE_LAB_DIR'] = before
  })

  it('are in BRAMBLE_LAB_DIR', () => {
    assert.equal(labPaths().state, join(directory, 'run', 'state.json'))
  })

  it('have no state before there is a lab', () => {
    assert.equal(readState(), undefined)
  })

  it('hold the state that was written', () => {
    const state: LabState = {
      arch: 'arm64',
      accelerator: 'tcg',
      memory: 512,
      uplink: { pid: 7, mark: 'slirp' },
      machines: [{ name: 'rpi1', address: '192.168.188.11', mac: '52:54:00:00:00:01', flavour: 'fresh' }],
    }
    writeState(state)
    assert.deepEqual(readState(), state)
  })

  it('say so when the state cannot be read', () => {
    mkdirSync(labPaths().run)
    writeFileSync(labPaths().state, '{"arch":"vax"}')
    assert.throws(() => readState(), { name: 'BrambleError', message: /state\.json cannot be read/ })
  })

  it('keep the images of today’s recipe and no others', async () => {
    const { base } = labPaths()
    const current = baseDirectory(base, 'arm64', 'docker')
    const outdated = join(base, 'docker-arm64-000000000000')
    const interrupted = `${current}.building`
    const foreign = join(base, 'photos')
    for (const path of [current, outdated, interrupted, foreign]) mkdirSync(path, { recursive: true })
    await pruneBases(base)
    assert.deepEqual(
      [current, outdated, interrupted, foreign].map((path) => existsSync(path)),
      [true, false, false, true],
    )
  })

  it('have an image for each architecture and flavour', () => {
    const names = (['amd64', 'arm64'] as const).flatMap((arch) =>
      (['docker', 'fresh'] as const).map((flavour) => baseDirectory('', arch, flavour)),
    )
    assert.equal(new Set(names).size, 4)
  })

  it('unpack, from the seed, into keys that sshd accepts', async () => {
    const archive = join(directory, 'seed.tar')
    const root = join(directory, 'root')
    mkdirSync(root)
    writeFileSync(
      archive,
      await seedArchive({ hostKey: 'private', hostKeyPublic: 'public', loginKey: 'login' }),
    )
    execFileSync('tar', ['-C', root, '-xf', archive, '--no-same-owner'])
    const keys = { 'etc/ssh/ssh_host_ed25519_key': 'private', 'home/pi/.ssh/authorized_keys': 'login' }
    for (const [path, text] of Object.entries(keys)) {
      assert.equal(readFileSync(join(root, path), 'utf8'), text)
      assert.equal(statSync(join(root, path)).mode & 0o777, 0o600)
    }
    const last = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).trim().split('\n').at(-1)
    assert.equal(
      last,
      'etc/ssh/ssh_host_ed25519_key',
      'the file that marks the seed as unpacked has to come last',
    )
  })

  it('include recipes that are sound shell', () => {
    for (const script of [beforePackages, afterPackages]) {
      execFileSync('sh', ['-n'], { input: script })
    }
  })
})
