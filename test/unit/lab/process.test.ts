import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { end, hasBecome, isAlive } from '../../../src/lab/process.ts'
import { until } from '../../../src/lab/wait.ts'

describe('a process that the lab recorded', () => {
  it('is ended, and is not alive afterwards', async () => {
    const child = spawn('sleep', ['314159'])
    const recorded = { pid: child.pid ?? 0, mark: '314159' }
    await until('the start of sleep', 5000, () => isAlive(recorded), 10)
    const exit = once(child, 'exit')
    await end(recorded)
    assert.equal(isAlive(recorded), false)
    assert.deepEqual(await exit, [null, 'SIGKILL'])
  })

  it('is left alone when its pid belongs to another program now', async () => {
    const child = spawn('sleep', ['271828'])
    await until('the start of sleep', 5000, () => isAlive({ pid: child.pid ?? 0, mark: '271828' }), 10)
    await end({ pid: child.pid ?? 0, mark: '/lab/run/rpi1.qcow2' })
    assert.equal(isAlive({ pid: child.pid ?? 0, mark: '271828' }), true)
    child.kill()
    await once(child, 'exit')
  })

  it('is alive from the moment that it has become its program', async () => {
    for (let round = 0; round < 20; round += 1) {
      const child = spawn('env', ['nice', 'sleep', '161803'])
      const recorded = { pid: child.pid ?? 0, mark: '161803' }
      await hasBecome(recorded, 'sleep')
      assert.equal(isAlive(recorded), true)
      child.kill()
      await once(child, 'exit')
    }
  })

  it('is not waited for when it ended before it became its program', async () => {
    const child = spawn('false')
    await hasBecome({ pid: child.pid ?? 0, mark: 'sleep' }, 'sleep')
  })

  it('may be gone already', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    await end({ pid: child.pid ?? 0, mark: 'true' })
  })
})

describe('waiting', () => {
  it('ends with an error that names what was waited for', async () => {
    await assert.rejects(
      until('rain', 20, () => false, 5),
      { name: 'BrambleError', message: /rain/, details: { expected: 'within 0.02 s' } },
    )
  })
})
