import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
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
import { dirname, join } from 'node:path'
import { startSshd, type Sshd } from '../sshd.ts'
import { localHost, start } from './program.ts'
import { makeProject, type Project } from './project.ts'

type Files = Record<string, string>

describe('bramble content push', function () {
  // It may have to be installed.
  this.timeout(600_000)
  let sshd: Sshd
  let project: Project
  let directory: string
  let share: string
  let site: string

  before(async () => {
    sshd = await startSshd()
  })
  after(() => sshd.stop())
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bramble-content-'))
    share = join(directory, 'share')
    site = join(directory, 'site')
    mkdirSync(share)
    project = makeProject(
      { rpi1: localHost(sshd, 0) },
      { vars: { nfs: { export: share } }, children: { nfs_server: ['rpi1'] } },
    )
  })
  afterEach(() => {
    project.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  const push = async (...flags: string[]) => {
    const program = start(project, ['content', 'push', site, '-o', 'lines', ...flags])
    return { code: await program.ended, printed: program.printed }
  }

  const odd = `it's "odd": $(id) \`id\` $HOME\n-x ü 🌱 ${'long '.repeat(30)}.txt`

  it('puts the files of a directory into the share, whatever their names, and finds nothing to do then', async () => {
    const files: Files = {
      'index.html': '<h1>hello</h1>\n',
      'css/deep/site.css': 'body{}\n',
      '-rf': '',
      [odd]: 'odd\0\xff',
      big: 'x'.repeat(3_000_000),
    }
    write(site, files)
    write(share, { 'index.html': 'old', 'mine/kept.txt': 'kept' })
    const { code, printed } = await push('--diff')
    assert.equal(code, 0, printed)
    assert.deepEqual(read(share), { ...files, 'mine/kept.txt': 'kept' })
    assert.match(printed, /^ *- index\.html [0-9a-f]{12}\n *\+ index\.html [0-9a-f]{12}$/m)
    assert.match(printed, /^ *\+ css\/deep\/site\.css [0-9a-f]{12}$/m)
    assert.equal(statSync(join(share, 'css/deep/site.css')).mode & 0o777, 0o644)
    assert.equal(statSync(join(share, 'css')).mode & 0o777, 0o755)
    const again = await push()
    assert.equal(again.code, 0)
    assert.match(again.printed, /0 changed/)
  })

  it('sends only what differs', async () => {
    write(site, { 'index.html': 'one', 'other.html': 'two' })
    await push()
    const before = statSync(join(share, 'other.html')).ino
    write(site, { 'index.html': 'three' })
    const { printed } = await push('--diff')
    assert.doesNotMatch(printed, /other/)
    assert.equal(statSync(join(share, 'other.html')).ino, before)
    assert.equal(read(share)['index.html'], 'three')
  })

  it('removes nothing, or by --delete what is not in the directory', async () => {
    write(site, { 'index.html': 'x' })
    write(share, { 'old/-rf': 'x', [odd]: 'x' })
    symlinkSync('index.html', join(share, 'link'))
    await push()
    assert.equal(Object.keys(read(share)).length, 4)
    const { code, printed } = await push('--delete')
    assert.equal(code, 0, printed)
    assert.deepEqual(readdirSync(share), ['index.html'])
  })

  it('shows in check mode what it would send and remove, exits with 3, and does neither', async () => {
    write(site, { 'index.html': 'x' })
    write(share, { old: 'x' })
    const { code, printed } = await push('--check', '--diff', '--delete')
    assert.equal(code, 3)
    assert.match(printed, /^ *\+ index\.html 0909377ad351\n *- old$/m)
    assert.deepEqual(read(share), { old: 'x' })
  })

  it('changes nothing where a file would take the place of a directory, and says so', async () => {
    write(site, { 'index.html': 'x', old: 'x' })
    write(share, { 'old/page.html': 'x' })
    const { code, printed } = await push()
    assert.equal(code, 2)
    assert.match(printed, /mv: cannot overwrite directory '\.\.\/\.\.\/\.\/old' with non-directory/)
    assert.deepEqual(
      Object.keys(read(share)).filter((path) => path !== 'index.html'),
      ['old/page.html'],
    )
  })

  it('refuses what is no site before it connects', async () => {
    const refused: [RegExp, string[], () => void][] = [
      [/cannot read \S+site\n +expected: +a directory with the files of a site\n/, [], () => {}],
      [/there is no file in \S+site\n/, [], () => mkdirSync(site)],
      [
        /nothing would be left to show\n +expected: +an index\.html among/,
        ['--delete'],
        () => write(site, { a: '' }),
      ],
      [
        /\S+site\/link cannot be served\n.*\n +found: +a symbolic link to a directory\n/,
        [],
        () => symlinkSync('/etc', join(site, 'link')),
      ],
    ]
    for (const [message, flags, prepare] of refused) {
      prepare()
      const { code, printed } = await push(...flags)
      assert.match(printed, message)
      assert.equal(code, 1)
    }
    assert.deepEqual(readdirSync(share), [])
  })

  it('says what to do where there is no share yet', async () => {
    write(site, { 'index.html': 'x' })
    rmSync(share, { recursive: true })
    const { code, printed } = await push()
    assert.equal(code, 2)
    assert.match(printed, /there is no \S+share\n[^]*next: +bramble apply makes the share; then this again/)
  })
})

function write(directory: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text, 'latin1')
  }
}

function read(directory: string): Files {
  const paths = execFileSync('find', [directory, '!', '-type', 'd', '-printf', '%P\\0'])
  return Object.fromEntries(
    paths
      .toString()
      .split('\0')
      .filter(Boolean)
      .map((path) => [path, readFileSync(join(directory, path), 'latin1')]),
  )
}
