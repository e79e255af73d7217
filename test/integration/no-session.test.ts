import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ConnectionError, TimeoutError } from '../../src/errors.ts'
import { openSession } from '../../src/ssh/session.ts'
import { startSshd } from '../sshd.ts'
import type { Sshd } from '../sshd.ts'
import { localHost, start } from './program.ts'
import { makeProject } from './project.ts'

describe('a host that lets one in and does not answer in time', function () {
  this.timeout(60_000)
  let sshd: Sshd

  before(async () => {
    sshd = await startSshd()
  })
  after(() => sshd?.stop())

  it('has failed, and was reached', async () => {
    const project = makeProject({ rpi1: localHost(sshd, 1) })
    try {
      const program = start(project, ['exec', 'all', '--timeout', '5', '--', 'sleep', '60'])
      assert.equal(await program.ended, 2)
      assert.match(
        program.printed,
        /^rpi1: did not answer within 5 s\n {2}next: .*--timeout of apply and exec/,
      )
    } finally {
      project.remove()
    }
  })
})

const lost = (error: unknown): boolean =>
  error instanceof ConnectionError &&
  !(error instanceof TimeoutError) &&
  error.message === 'the connection was lost'

describe('a connection that has ended while nobody asked', function () {
  this.timeout(60_000)

  it('is told at once by all that is asked from then on', async () => {
    const sshd = await startSshd()
    const { host, port, user, keyFile, knownHosts } = sshd
    const directory = mkdtempSync(join(tmpdir(), 'bramble-session-'))
    writeFileSync(join(directory, 'known'), `${knownHosts}\n`)
    try {
      const session = await openSession({
        name: 'rpi1',
        host,
        port,
        user,
        identities: [keyFile],
        identitiesFrom: 'inventory',
        identitiesOnly: true,
        become: false,
        knownHosts: join(directory, 'known'),
        alsoKnown: [],
        hostKeys: 'strict',
        connectTimeout: 10,
        ignored: [],
      })
      await session.run(['true'], 10)
      await sshd.stop()
      // The first may be under way when the end comes.
      await assert.rejects(session.run(['true'], 20), lost)
      await assert.rejects(session.run(['true'], 20), lost)
      await assert.rejects(session.feed('cat', Readable.from(['x']), 20), lost)
    } finally {
      await sshd.stop()
      rmSync(directory, { recursive: true })
    }
  })
})

describe('a host that lets one in and opens no session', function () {
  this.timeout(60_000)
  let sshd: Sshd

  before(async () => {
    sshd = await startSshd('MaxSessions 0')
  })
  after(() => sshd?.stop())

  it('is one that could not be reached, and says what its server said', async () => {
    const project = makeProject({ rpi1: localHost(sshd, 1) })
    try {
      const program = start(project, ['exec', 'all', '--', 'true'])
      assert.equal(await program.ended, 4)
      assert.match(
        program.printed,
        /^rpi1: logged in, but got no shell\n {2}found: +\(SSH\) Channel open failure: open failed\n {2}next: .*MaxSessions/,
      )
    } finally {
      project.remove()
    }
  })
})
