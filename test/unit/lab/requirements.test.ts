import assert from 'node:assert/strict'
import { missingPackages } from '../../../src/lab/requirements.ts'

const nothing = () => false

describe('what the lab wants installed', () => {
  it('is nothing when all is there', () => {
    assert.deepEqual(
      missingPackages('amd64', 'amd64', () => true),
      [],
    )
  })

  it('is named once for each Debian package', () => {
    const missing = missingPackages('amd64', 'amd64', nothing)
    assert.equal(new Set(missing).size, missing.length)
    for (const name of ['qemu-system-x86', 'slirp4netns', 'mmdebstrap', 'openssh-client']) {
      assert(missing.includes(name), name)
    }
    assert(!missing.includes('qemu-user-static'))
  })

  it('is more when the virtual Pis are of another architecture than the computer', () => {
    const missing = missingPackages('arm64', 'amd64', nothing)
    for (const name of ['qemu-system-arm', 'qemu-user-static', 'binfmt-support', 'arch-test']) {
      assert(missing.includes(name), name)
    }
    assert(!missing.includes('qemu-system-x86'))
  })
})
