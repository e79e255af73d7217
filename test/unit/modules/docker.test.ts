import assert from 'node:assert/strict'
import { dockerGet, dockerPost, dockerRepository, dockerRunning } from '../../../src/modules/docker.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { info } from './swarm-fixture.ts'
import { table } from './table.ts'

const repository =
  'Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\nSigned-By: /etc/apt/keyrings/docker.asc\n'

const running = () => dockerRunning()

describe('dockerRunning', () => {
  table([
    { title: 'is content with a daemon that answers', make: running, seen: info(), expect: 'ok' },
    {
      title: 'starts a daemon that does not answer',
      make: running,
      seen: { code: 7, stdout: '' },
      expect: 'change',
      apply: 'systemctl start docker',
    },
    {
      title: 'plans on a host without curl and Docker',
      make: running,
      seen: { code: 127, stdout: '' },
      expect: 'change',
      diff: '- no Docker daemon',
    },
    {
      title: 'takes no other answer for a daemon',
      make: running,
      seen: '{"message":"page not found"}',
      expect: 'change',
    },
  ])

  it('tells the version of the engine', () => {
    assert.deepEqual(running().facts?.({ code: 0, stdout: info() }), { docker: '20.10.24' })
  })

  it('asks several paths with one process', () => {
    assert.equal(
      dockerGet('/nodes', '/info').text,
      'curl -sS --max-time 20 --unix-socket /run/docker.sock http://docker/nodes http://docker/info',
    )
  })

  it('keeps what it sends out of the arguments of curl', () => {
    const [before, after] = dockerPost('/swarm/join', new Secret('SWMTKN-1-secret')).text.split('|')
    assert.equal(before, 'printf %s SWMTKN-1-secret ')
    assert.doesNotMatch(after ?? '', /SWMTKN/)
  })
})

const bookworm = () => dockerRepository()

describe('dockerRepository', () => {
  table([
    { title: 'is left alone when it is so', make: bookworm, seen: repository, expect: 'ok' },
    {
      title: 'is added with its key where there is none',
      make: bookworm,
      seen: { code: 1, stdout: '' },
      expect: 'change',
      diff: '+ Suites: bookworm',
      apply: /curl -fsSL .*gpg\n(.*\n)*apt-get update/,
    },
    {
      title: 'of another Debian is replaced',
      make: () => dockerRepository({ suite: 'trixie' }),
      seen: repository,
      expect: 'change',
      diff: '- Suites: bookworm',
    },
    {
      title: 'is not made for what is no code name',
      make: () => dockerRepository({ suite: '12; reboot' }),
      seen: '',
      expect: 'error',
      error: /no code name/,
    },
  ])
})
