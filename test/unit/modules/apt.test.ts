import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { apt } from '../../../src/modules/apt.ts'
import { lockFunctions } from '../../../src/modules/apt-get.ts'
import { bundle } from '../../../src/playbook/batch.ts'
import { lines, raw, sh } from '../../../src/playbook/sh.ts'
import { plan, run, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => apt({ packages: ['docker.io', 'nfs-common'] })
const pinned = (version: string) => () => apt({ packages: [`docker.io=${version}`] })
const gone = (purge: boolean) => () => apt({ packages: ['docker.io'], state: 'absent', purge })

/** A process that holds a lock as dpkg does, until its stdin ends. */
async function holder(lock: string) {
  writeFileSync(lock, '')
  const program = `use Fcntl; open my $f, '>', $ARGV[0]; my $lock = pack('s s x4 q q l x4', F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $lock) or die; $| = 1; print "held\\n"; <STDIN>`
  const child = spawn('perl', ['-e', program, lock])
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  return child
}

describe('apt', () => {
  const docker = 'docker.io amd64 20.10.24+dfsg1-1 installed\n'
  const nfs = 'nfs-common amd64 1:2.6.2-4 installed\n'
  table([
    { title: 'is content when all are installed', make, seen: nfs + docker, expect: 'ok' },
    {
      title: "reads dpkg's status file, and takes no removed package for an installed one",
      make,
      seen: `Package: docker.io\nStatus: install ok installed\nArchitecture: amd64\nVersion: 20.10.24+dfsg1-1\n--\nPackage: nfs-common\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1:2.6.2-4\n`,
      expect: 'change',
      diff: /^- nfs-common 1:2\.6\.2-4 \(config-files\)\n\+ nfs-common$/,
    },
    {
      title: 'finds the version of a package with every field there can be before it',
      make: () => apt({ packages: ['nfs-common=1:2.6.2-4'] }),
      seen: `Package: nfs-common
Essential: yes
Protected: yes
Status: install ok installed
Priority: optional
Section: net
Installed-Size: 773
Origin: Debian
Maintainer: Debian kernel team <debian-kernel@lists.debian.org>
Bugs: debbugs://bugs.debian.org
Architecture: amd64
Multi-Arch: foreign
Source: nfs-utils
Version: 1:2.6.2-4
`,
      expect: 'ok',
    },
    ...[
      { status: 'hold ok installed', expect: 'ok' as const },
      // Wanted to go, and still there.
      { status: 'deinstall ok installed', expect: 'ok' as const },
      { status: 'install ok triggers-pending', expect: 'ok' as const },
      { status: 'install ok half-configured', expect: 'change' as const },
      { status: 'install reinstreq half-installed', expect: 'change' as const },
      { status: 'install ok unpacked', expect: 'change' as const },
      { status: 'deinstall ok config-files', expect: 'change' as const },
    ].map(({ status, expect }) => ({
      title: `takes "${status}" for ${expect === 'ok' ? '' : 'not '}installed`,
      make: () => apt({ packages: ['hello'] }),
      // What follows a short stanza comes along.
      seen: `Package: hello\nStatus: ${status}\nArchitecture: amd64\nVersion: 2.10-3\n\nPackage: hello-more\nStatus: install ok installed\n`,
      expect,
    })),
    {
      title: 'installs only what is missing',
      make,
      seen: docker,
      expect: 'change',
      diff: /^- nfs-common \(not installed\)\n\+ nfs-common$/,
      apply: '--no-install-recommends install nfs-common;',
    },
    {
      title: 'installs again what was removed',
      make,
      seen: `${nfs}docker.io amd64 1 config-files\n`,
      expect: 'change',
      apply: 'install docker.io;',
    },
    {
      title: 'installs again what is half there',
      make,
      seen: `${nfs}docker.io amd64 1 half-configured\n`,
      expect: 'change',
    },
    {
      title: 'takes waiting triggers for installed',
      make,
      seen: `${nfs}docker.io amd64 1 triggers-awaited\n`,
      expect: 'ok',
    },
    {
      title: 'takes a package that dpkg never had for missing',
      make,
      seen: `${nfs}docker.io   not-installed\n`,
      expect: 'change',
    },
    {
      title: 'is content with the version asked for',
      make: pinned('20.10.24+dfsg1-1'),
      seen: docker,
      expect: 'ok',
    },
    {
      title: 'is content with a version of the kind asked for',
      make: pinned('20.10.*'),
      seen: docker,
      expect: 'ok',
    },
    {
      title: 'does not take a dot for any character',
      make: pinned('20x10*'),
      seen: docker,
      expect: 'change',
    },
    {
      title: 'changes the version',
      make: pinned('20.10.5'),
      seen: docker,
      expect: 'change',
      apply: "install 'docker.io=20.10.5';",
    },
    {
      title: 'tells architectures apart',
      make: () => apt({ packages: ['libc6:armhf'] }),
      seen: 'libc6 arm64 2.36 installed\n',
      expect: 'change',
    },
    {
      title: 'removes',
      make: gone(false),
      seen: docker,
      expect: 'change',
      diff: '+ docker.io absent',
      apply: 'remove docker.io;',
    },
    {
      title: 'leaves configuration files of what is removed',
      make: gone(false),
      seen: 'docker.io amd64 1 config-files\n',
      expect: 'ok',
    },
    {
      title: 'purges configuration files',
      make: gone(true),
      seen: 'docker.io amd64 1 config-files\n',
      expect: 'change',
      apply: 'purge docker.io;',
    },
    { title: 'has nothing to remove of what was never there', make: gone(true), seen: '', expect: 'ok' },
    {
      title: 'does not take a broken dpkg for missing packages',
      make,
      seen: { code: 2, stdout: '' },
      expect: 'error',
    },
  ])

  it('refuses what is no package name', () => {
    for (const name of ['', '-y', 'a b', '$(id)', 'Docker'])
      assert.throws(() => apt({ packages: [name] }), InputError)
  })

  it('has nothing to do for no packages', () => assert.equal(plan(apt({ packages: [] })), undefined))

  it('asks dpkg once for all packages of a host', function () {
    if (run(raw('command -v dpkg-query')).code !== 0) this.skip()
    const [dpkg, none] = [apt({ packages: ['dpkg'] }), apt({ packages: ['bramble-none', 'dpkg'] })]
    const together = bundle([dpkg.probe, none.probe])
    assert.equal(together.commands.length, 1)
    const [first, second] = together.read(together.commands.map((command) => run(raw(command))))
    assert.ok(first && second)
    assert.equal(dpkg.plan(first), undefined)
    assert.match(none.plan(second)?.apply.text ?? '', /install bramble-none;/)
  })

  for (const shell of SHELLS) {
    describe(`waiting for a lock, with ${shell}`, () => {
      const directory = temporary()

      it('runs at once when nobody holds it', () => {
        const lock = join(directory.path, 'free')
        writeFileSync(lock, '')
        const { code, stdout } = run(lines(lockFunctions([lock], 5), sh`unlocked echo done`), { shell })
        assert.deepEqual([code, stdout], [0, 'done\n'])
      })

      it('names who holds it, and gives up in time', async () => {
        const lock = join(directory.path, "it's held")
        const child = await holder(lock)
        try {
          const { code, stdout, stderr } = run(lines(lockFunctions([lock], 1), sh`unlocked echo done`), {
            shell,
          })
          assert.deepEqual([code, stdout], [75, ''])
          assert.match(
            stderr,
            new RegExp(`gave up after 1 s: .*it's held is held by process ${child.pid}: perl -e`),
          )
        } finally {
          child.stdin.end()
          await once(child, 'exit')
        }
      })

      it('passes on the failure of a command that did not fail on a lock', () => {
        assert.equal(run(lines(lockFunctions([], 5), sh`unlocked sh -c 'exit 7'`), { shell }).code, 7)
      })
    })
  }
})
