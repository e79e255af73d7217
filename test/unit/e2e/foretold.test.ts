import assert from 'node:assert/strict'
import type { Event, Status } from '../../../src/engine/events.ts'
import { disagreements } from '../../e2e/foretold.ts'

const task = (title: string, status: Status, play = 'docker'): Event => ({
  type: 'task',
  at: 0,
  host: 'rpi1',
  play,
  title,
  status,
  ms: 1,
})

describe('a check and the apply after it', () => {
  it('agree when apply changes what was foretold or could not be known', () => {
    const check = [
      task('file', 'changed'),
      task('join', 'unknown'),
      task('wait', 'unknown'),
      task('all', 'ok'),
    ]
    const apply = [task('file', 'changed'), task('join', 'changed'), task('wait', 'ok'), task('all', 'ok')]
    assert.deepEqual(disagreements(check, apply), [])
  })

  it('agree when nothing could be known of a whole play', () => {
    const check = [task('swarm init', 'unknown', 'swarm init')]
    assert.deepEqual(disagreements(check, [task('swarm led by rpi1', 'changed', 'swarm init')]), [])
  })

  it('disagree when apply changes what check found well, or did not speak of', () => {
    assert.deepEqual(disagreements([task('a', 'ok')], [task('a', 'changed'), task('b', 'changed')]), [
      'rpi1, docker, a: changed; check said ok',
      'rpi1, docker, b: changed; check said nothing',
    ])
  })

  it('disagree when what check promised is not done', () => {
    assert.deepEqual(disagreements([task('a', 'changed'), task('b', 'changed')], [task('a', 'ok')]), [
      'rpi1, docker, a: ok; check said changed',
      'rpi1, docker, b: nothing; check said changed',
    ])
  })

  it('tell tasks of one title in two plays apart', () => {
    const check = [task('packages curl', 'changed', 'one'), task('packages curl', 'ok', 'two')]
    assert.equal(disagreements(check, [task('packages curl', 'changed', 'two')]).length, 2)
  })
})
