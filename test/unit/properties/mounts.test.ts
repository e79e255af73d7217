import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { mount, sysctl } from '../../../src/modules/index.ts'
import { LocalSession } from '../engine/local-session.ts'
import { over, runLocally } from '../engine/harness.ts'
import { ensureShell, patience, runs, seed, shells } from './settings.ts'
import { fileName, lineText } from './texts.ts'

/** Text that a table of the system can hold. */
const field = lineText.map((one) => one.replaceAll('\uFFFD', ''))
const source = field.filter((one) => one !== '' && Buffer.byteLength(one) < 300)
/** Blanks are one to the kernel's parameters; the kernel keeps 64 bytes of this one. */
const parameter = field
  .map((one) => one.trim().split(/\s+/).join(' '))
  .filter((one) => Buffer.byteLength(one) <= 60)

// A host of its own as far as mounts and names go. Its fstab is looked at from outside.
const enter = `mount --bind "$0/etc" /etc && exec "$@"`

function session(folder: string, shell: string): LocalSession {
  const isRoot = process.getuid?.() === 0
  const unshare = ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--mount', '--uts']
  return new LocalSession({ shell: [...unshare, 'sh', '-c', enter, folder, ...shell.split(' ')] })
}

for (const shell of shells) {
  describe(`mounts and kernel parameters of any text, made by ${shell}`, () => {
    before(() => ensureShell(shell))

    it(`are as they were asked for, and clean then (seed ${seed})`, async function () {
      this.timeout(patience(60_000))
      const mounts = fc.uniqueArray(fc.record({ name: fileName, source }), {
        minLength: 1,
        maxLength: 3,
        selector: ({ name }) => name,
      })
      await fc.assert(
        fc.asyncProperty(mounts, parameter, fileName, async (mounts, value, file) => {
          const folder = mkdtempSync(join(tmpdir(), 'bramble-mounts-'))
          try {
            mkdirSync(join(folder, 'etc'))
            for (const name of ['passwd', 'group'])
              writeFileSync(join(folder, 'etc', name), readFileSync(`/etc/${name}`))
            const kept = join(folder, file === 'etc' ? 'other' : `${file.replaceAll('\n', '')}.conf`)
            const tasks = () => [
              ...mounts.map(({ name, source }) =>
                mount({
                  path: join(folder, `mnt-${name}`),
                  source,
                  type: 'tmpfs',
                  options: 'size=16k,nosuid',
                }),
              ),
              sysctl({ settings: { 'kernel.domainname': value }, file: kept }),
            ]
            const twice = [over(tasks, { name: 'first' }), over(tasks, { name: 'second' })]
            const connect = () => Promise.resolve(session(folder, shell))
            const outcome = await runLocally(twice, { connect })
            assert.deepEqual(outcome.reasons, {})
            const second = outcome.tasks.filter(({ play }) => play === 'second')
            assert.deepEqual(
              second.map(({ status }) => status),
              tasks().map(() => 'ok'),
            )
            assert.equal(readFileSync(kept, 'utf8'), `kernel.domainname = ${value}\n`)
            assert.deepEqual(
              fstab(join(folder, 'etc/fstab')),
              mounts.map(({ name, source }) => [source, join(folder, `mnt-${name}`)]),
            )
          } finally {
            rmSync(folder, { recursive: true })
          }
        }),
        runs(1 / 250),
      )
    })
  })
}

/** What mount(8) reads in an fstab. */
function fstab(file: string): unknown[] {
  const { stdout, stderr } = spawnSync('findmnt', ['--tab-file', file, '--json', '-o', 'SOURCE,TARGET'], {
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  const { filesystems } = JSON.parse(stdout) as { filesystems: { source: string; target: string }[] }
  return filesystems.map(({ source, target }) => [source, target])
}
