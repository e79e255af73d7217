import assert from 'node:assert/strict'
import { readMembership } from '../../../src/modules/membership.ts'
import { info, manager } from './swarm-fixture.ts'

/** Made by Docker 20.10 for a worker; valid until 2027-02-21. */
const certificate = `-----BEGIN CERTIFICATE-----
MIICKDCCAc+gAwIBAgIUYUBpgYRxKsQrWFkK92EFGb0teAwwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAxMIc3dhcm0tY2EwHhcNMjYxMTIzMDA0NDAwWhcNMjcwMjIxMDE0
NDAwWjBfMSIwIAYDVQQKExlnN2t5MGNkZHB4cHBic2V0MXYyN2QzbXRnMRUwEwYD
VQQLEwxzd2FybS13b3JrZXIxIjAgBgNVBAMTGXhldHlocXFoamZvaWJ2ajNzYXZ3
NXh5bWIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATbiyItnXkJ9ziZx6mijh5g
wzSC8KXHN33jV0jTiD4UO+K0gX2ExyAMb+MtQu4GVAFAaYpEgf+A7Ew03qz7eF7k
o4G0MIGxMA4GA1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYB
BQUHAwIwDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUb+rkWRoHAmDEcbMfMoSkUUeC
CVYwHwYDVR0jBBgwFoAULx8szBnMJKT559paUcyg52M8hU4wMgYDVR0RBCswKYIM
c3dhcm0td29ya2Vyghl4ZXR5aHFxaGpmb2lidmozc2F2dzV4eW1iMAoGCCqGSM49
BAMCA0cAMEQCIAJEpYQPHhtTOtsQ86rjfEYAsgp+p9tG6U3jvjBr2QQBAiBrES47
Eb1H7kEay+G9Kk8FZVgfNjxjYcA2un9+Nr2NKg==
-----END CERTIFICATE-----
`
const state = (joining = false) =>
  JSON.stringify({
    AdvertiseAddr: '192.168.188.14:2377',
    DataPathAddr: '192.168.188.14',
    JoinInProgress: joining,
  })

const answered = Date.parse('2026-12-01')

describe('membership of a swarm', () => {
  it('is told by the certificate of a settled member, worker or manager alike', () => {
    assert.deepEqual(readMembership({ code: 0, stdout: certificate + state(), answered }), {
      NodeID: 'xetyhqqhjfoibvj3savw5xymb',
      NodeAddr: '192.168.188.14',
      LocalNodeState: 'active',
      ControlAvailable: false,
      Error: '',
      Cluster: { ID: 'g7ky0cddpxppbset1v27d3mtg' },
    })
  })

  it('is pending while a join is under way', () => {
    const swarm = readMembership({ code: 0, stdout: certificate + state(true), answered })
    assert.equal(swarm?.LocalNodeState, 'pending')
  })

  it('is told by the daemon where there is no certificate', () => {
    assert.equal(readMembership({ code: 0, stdout: info(manager) })?.NodeID, 'id1')
    assert.equal(readMembership({ code: 7, stdout: '' }), undefined)
  })

  it('has ended when the certificate has expired', () => {
    const swarm = readMembership({
      code: 0,
      stdout: certificate + state(),
      answered: Date.parse('2027-03-01'),
    })
    assert.deepEqual(
      [swarm?.LocalNodeState, swarm?.Error, swarm?.NodeID],
      ['expired', 'its certificate was valid until 2027-02-21T01:44:00.000Z', 'xetyhqqhjfoibvj3savw5xymb'],
    )
  })
})
