import assert from 'node:assert/strict'
import { dockerAsk, dockerGet, dockerPost, dockerRunning } from '../../../src/modules/docker.ts'
import { dockerRepository } from '../../../src/modules/docker-repository.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { bundle } from '../../../src/playbook/batch.ts'
import { table } from './table.ts'

const repository =
  'Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\nSigned-By: /etc/apt/keyrings/docker.asc\n'

const running = () => dockerRunning()

describe('dockerRunning', () => {
  table([
    { title: 'is content with a daemon that answers', make: running, seen: 'OK\n', expect: 'ok' },
    {
      title: 'starts a daemon that does not answer',
      make: running,
      seen: { code: 7, stdout: '' },
      expect: 'change',
      apply: 'systemctl start -- docker',
    },
    {
      title: 'tells a daemon that hangs from one that does not run',
      make: running,
      seen: { code: 28, stdout: '' },
      expect: 'change',
      diff: '- the Docker daemon runs, and gives no answer within 20 s',
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

  it('asks several questions with one process, and tells the answers apart', () => {
    const nodes = dockerGet('/nodes')
    const record = dockerAsk({ file: '/opt/record.json', paths: ['/services', '/tasks'] })
    const { commands, read } = bundle([nodes, record])
    assert.equal(commands.length, 1)
    assert.equal(commands[0]?.match(/curl/g)?.length, 1)
    const stdout = '{"record":1}\n["nodes"]\n\n["services"]\n\n["tasks"]\n\n'
    assert.deepEqual(read([{ code: 0, stdout }]), [
      { code: 0, stdout: '["nodes"]\n' },
      { code: 0, stdout: '{"record":1}\n["services"]\n["tasks"]\n' },
    ])
  })

  it('asks once what several ask, and tells each of them', () => {
    const { commands, read } = bundle([dockerGet('/_ping', '/nodes'), dockerGet('/tasks', '/nodes')])
    assert.equal(commands[0]?.match(/docker\/nodes/g)?.length, 1)
    assert.deepEqual(read([{ code: 0, stdout: 'OK\n["nodes"]\n\n["tasks"]\n\n' }]), [
      { code: 0, stdout: 'OK\n["nodes"]\n' },
      { code: 0, stdout: '["tasks"]\n["nodes"]\n' },
    ])
  })

  it('gives the failure of a shared curl to every question', () => {
    const { read } = bundle([dockerGet('/nodes'), dockerGet('/_ping')])
    assert.deepEqual(read([{ code: 7, stdout: '\n\n' }]), [
      { code: 7, stdout: '' },
      { code: 7, stdout: '' },
    ])
  })

  it('asks again one by one when an answer is missing', () => {
    const { read } = bundle([dockerGet('/nodes'), dockerGet('/_ping')])
    assert.deepEqual(read([{ code: 0, stdout: 'OK\n' }]), [undefined, undefined])
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
      apply: /curl -fsSL .*gpg\n(.*\n)*.* mv .*docker\.sources$/,
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
