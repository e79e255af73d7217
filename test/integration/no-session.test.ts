import assert from 'node:assert/strict'
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
      const program = start(project, ['exec', 'all', '--timeout', '1', '--', 'sleep', '30'])
      assert.equal(await program.ended, 2)
      assert.match(
        program.printed,
        /^rpi1: did not answer within 1 s\n {2}next: .*--timeout of apply and exec/,
      )
    } finally {
      project.remove()
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
