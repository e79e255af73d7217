import assert from 'node:assert/strict'
import { json } from '../../../src/report/json.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { changing, converged, failing, sink } from './events.ts'

describe('report as JSON', () => {
  it('prints one event a line and the summary last, its promised fields first and in order', () => {
    const { stream, text } = sink()
    converged.forEach(json(stream))
    const lines = text().trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      converged,
    )
    const zeros = '"changed":0,"failed":0,"skipped":0,"trips":2,"unreachable":false,"ms":'
    assert.ok(
      lines
        .at(-1)
        ?.startsWith(
          `{"type":"summary","ok":true,"ms":1400,"hosts":{"rpi1":{"ok":1,${zeros}1000,"remoteMs":0},"rpi10":{"ok":1,${zeros}120,"remoteMs":0}}`,
        ),
    )
  })

  it('holds no secret, not even one that JSON writes otherwise', () => {
    for (const events of [changing(false), failing]) {
      const { stream, text } = sink()
      events.forEach(json(stream))
      assert.doesNotMatch(text(), /swordfish|plus/)
      assert.match(text(), /\*\*\*/)
    }
  })

  it('keeps the words that programs look for even if a secret is one of them', () => {
    const word = new Secret('finished')
    const { stream, text } = sink()
    json(stream)({ at: 0, type: 'finished', host: 'rpi1', ms: 5 })
    assert.equal(text(), `{"at":0,"type":"${word.reveal()}","host":"rpi1","ms":5}\n`)
  })
})
