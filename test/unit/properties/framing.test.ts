import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { Unframer } from '../../../src/ssh/framing.ts'
import { LocalSession } from '../engine/local-session.ts'
import { ensureShell, patience, runs, seed, shells } from './settings.ts'

const nonce = '00112233445566778899aabb'

/** What looks like the frame, and is not: other nonces, ends of lines where they do not belong, beginnings and ends. */
const other = '0123456789abcdef01234567'
const alike = fc.constantFrom(
  ...'\n| | begin| end| end 0 0| 0|\n\n|\0|\r\n|%s'.split('|'),
  nonce.slice(0, -1),
  nonce.slice(1),
  nonce.toUpperCase(),
  `x${nonce}`,
  `\n${nonce.slice(0, 12)}\n${nonce.slice(12)}`,
  `\n${other} end 1 1\n`,
  `\n${other} 0\n`,
)
const printed = fc
  .array(
    fc.oneof(
      alike.map((one) => Buffer.from(one)),
      fc.uint8Array({ maxLength: 20 }).map((one) => Buffer.from(one)),
    ),
    {
      maxLength: 12,
    },
  )
  .map((all) => Buffer.concat(all))
  // By chance the pieces make the nonce itself, which no command can know.
  .filter((all) => !all.includes(`\n${nonce}`))
const answer = fc.record({ code: fc.nat(255), stdout: printed, stderr: printed })

function octal(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('')
}

/** A command that prints bytes as they are, in any shell. */
function printing({ code, stdout, stderr }: { code: number; stdout: Buffer; stderr: Buffer }): string {
  return `printf %b '${octal(stdout)}'; printf %b '${octal(stderr)}' >&2; exit ${code}`
}

for (const shell of shells) {
  describe(`what commands print under ${shell}`, () => {
    before(() => ensureShell(shell))

    it(`comes back as it was, whatever it looks like (seed ${seed})`, async function () {
      this.timeout(patience(30_000))
      await fc.assert(
        fc.asyncProperty(fc.array(answer, { minLength: 8, maxLength: 8 }), async (wanted) => {
          const session = new LocalSession({ shell })
          const { answers } = await session.run(wanted.map(printing), 60).finally(() => session.close())
          assert.deepEqual(
            answers,
            wanted.map(({ code, stdout, stderr }) => ({
              code,
              stdout: stdout.toString(),
              stderr: stderr.toString(),
            })),
          )
        }),
        runs(1 / 4, 8),
      )
    })

    it('comes whole when it is 10 MB on each stream', async function () {
      this.timeout(patience(30_000))
      const session = new LocalSession({ shell })
      const big = 'head -c 10000000 /dev/zero'
      const { answers } = await session
        .run([`${big} | tr '\\0' a; ${big} | tr '\\0' '\\n' >&2`, 'echo next'], 60)
        .finally(() => session.close())
      assert.deepEqual([answers[0]?.stdout.length, answers[0]?.stderr.length], [10_000_000, 10_000_000])
      assert.equal(answers[1]?.stdout, 'next\n')
    })

    it('cannot hold the nonce: a command finds it nowhere', async function () {
      this.timeout(patience(10_000))
      const session = new LocalSession({ shell })
      const look = `set; env; cat /proc/$$/cmdline /proc/$$/environ /proc/self/cmdline /proc/self/environ; ps -ef 2>/dev/null || :; cat; cat <&0`
      const { answers } = await session.run([look, 'echo next'], 60).finally(() => session.close())
      assert.equal(answers.length, 2)
      assert.doesNotMatch(answers[0]?.stdout ?? '', /\b[0-9a-f]{24}\b/)
      assert.equal(answers[1]?.stdout, 'next\n')
    })
  })
}

describe('an unframer', () => {
  it(`reads any answers, however they are cut into chunks (seed ${seed})`, function () {
    this.timeout(patience(20_000))
    const streams = fc.tuple(fc.array(answer, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }))
    fc.assert(
      fc.property(streams, ([wanted, size]) => {
        const mark = (text: string) => Buffer.from(`\n${nonce}${text}\n`)
        const out = Buffer.concat([
          mark(' begin'),
          ...wanted.flatMap(({ code, stdout }) => [stdout, mark(` ${code}`)]),
          mark(' end 1.00 2.50'),
        ])
        const err = Buffer.concat([
          mark(' begin'),
          ...wanted.flatMap(({ stderr }) => [stderr, mark('')]),
          mark(' end'),
        ])
        const unframer = new Unframer(nonce)
        for (const [stream, all] of [
          ['stdout', out],
          ['stderr', err],
        ] as const) {
          let ended = false
          for (let at = 0; at < all.length; at += size) {
            assert.equal(ended, false, 'the end is told with the last chunk')
            ended = unframer.push(stream, all.subarray(at, at + size))
          }
          assert.equal(ended, true)
        }
        const { answers, remoteMs } = unframer.answers()
        assert.deepEqual(
          { answers, remoteMs },
          {
            answers: wanted.map(({ code, stdout, stderr }) => ({
              code,
              stdout: stdout.toString(),
              stderr: stderr.toString(),
            })),
            remoteMs: 1500,
          },
        )
      }),
      runs(1),
    )
  })
})
