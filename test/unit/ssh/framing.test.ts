import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { ConnectionError } from '../../../src/errors.ts'
import { quote } from '../../../src/playbook/sh.ts'
import { frame, Unframer, type Answer } from '../../../src/ssh/framing.ts'
import { seed } from '../../random.ts'
import { LocalSession } from '../engine/local-session.ts'

const timeout = 10

const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })

const cases: Record<string, { commands: string[]; answers: Partial<Answer>[] }> = {
  'no command at all has no answer': { commands: [], answers: [] },
  'an empty command prints nothing': { commands: [''], answers: [{ code: 0, stdout: '', stderr: '' }] },
  'each command tells its exit code': {
    commands: ['true', 'false', 'exit 77', 'kill -9 $$$$ 2>/dev/null; exit 255'],
    answers: [{ code: 0 }, { code: 1 }, { code: 77 }, { code: 255 }],
  },
  'output keeps its newlines, or their absence': {
    commands: [
      'printf a',
      String.raw`printf 'a\n'`,
      String.raw`printf '\n\na\n\n'`,
      String.raw`printf '\r\n\t'`,
    ],
    answers: [{ stdout: 'a' }, { stdout: 'a\n' }, { stdout: '\n\na\n\n' }, { stdout: '\r\n\t' }],
  },
  'stderr is kept apart': {
    commands: ['echo out; echo err >&2', 'echo only err >&2', 'echo only out'],
    answers: [
      { stdout: 'out\n', stderr: 'err\n' },
      { stdout: '', stderr: 'only err\n' },
      { stdout: 'only out\n', stderr: '' },
    ],
  },
  'a command reads nothing from the commands after it': {
    commands: ['cat; read -r line; echo "[$line]"', 'echo still here'],
    answers: [{ stdout: '[]\n' }, { stdout: 'still here\n' }],
  },
  'a syntax error ends its own command only': {
    commands: ['echo one', 'if then fi )', 'echo "unclosed', 'echo ${', 'echo four'],
    answers: [{ code: 0, stdout: 'one\n' }, {}, {}, {}, { code: 0, stdout: 'four\n' }],
  },
  'what a command sets is gone with it': {
    commands: [
      'x=1; cd /; set -e; umask 0; f() { :; }; trap "echo bye" EXIT',
      'false; echo "[$x]"; command -v f || :',
    ],
    answers: [
      { code: 0, stdout: 'bye\n' },
      { code: 0, stdout: '[]\n' },
    ],
  },
  'a command that ends its shell ends its own only': {
    commands: ['echo a; exit 3; echo b', 'exec sh -c "echo c; exit 4"', 'set -e; false; echo d', 'echo e'],
    answers: [
      { code: 3, stdout: 'a\n' },
      { code: 4, stdout: 'c\n' },
      { code: 1, stdout: '' },
      { code: 0, stdout: 'e\n' },
    ],
  },
  'closed streams harm nobody': {
    commands: ['exec >&- 2>&-; echo lost', 'echo kept'],
    answers: [{}, { code: 0, stdout: 'kept\n' }],
  },
  'no command is told the nonce': {
    commands: ['echo "$_" | grep -cE "^[0-9a-f]{24}$"', 'echo "$_" | grep -cE "^[0-9a-f]{24}$"'],
    answers: [{ stdout: '0\n' }, { stdout: '0\n' }],
  },
  'text that looks like a marker is text': {
    commands: [
      String.raw`printf '\n%s end 0 0\n' 0123456789abcdef01234567`,
      String.raw`printf '\n%s 0\n' ffffffffffffffffffffffff`,
    ],
    answers: [
      { stdout: '\n0123456789abcdef01234567 end 0 0\n' },
      { stdout: '\nffffffffffffffffffffffff 0\n' },
    ],
  },
  'a megabyte comes whole': {
    commands: ['head -c 1000000 /dev/zero | tr "\\0" x', 'head -c 300000 /dev/zero | tr "\\0" y >&2'],
    answers: [{ stdout: 'x'.repeat(1_000_000) }, { stderr: 'y'.repeat(300_000) }],
  },
}

for (const shell of ['dash', 'bash']) {
  describe(`commands framed for ${shell}`, () => {
    let session: LocalSession
    beforeEach(() => (session = new LocalSession({ shell })))
    afterEach(() => session.close())

    for (const [title, { commands, answers }] of Object.entries(cases)) {
      it(title, async () => {
        const found = await session.run(commands, timeout)
        assert.equal(found.answers.length, answers.length)
        answers.forEach((expected, index) =>
          assert.deepEqual({ ...found.answers[index], ...expected }, found.answers[index]),
        )
        assert.equal(session.trips, 1)
      })
    }

    it('a syntax error says so in its own answer', async () => {
      const { answers } = await session.run(['true', 'if then fi )', 'true'], timeout)
      assert.deepEqual(
        answers.map(({ code }) => code === 0),
        [true, false, true],
      )
      assert.match(answers[1]?.stderr ?? '', /syntax/i)
      assert.equal(answers[2]?.stderr, '')
    })

    it('two hundred commands are one trip, answered in order', async () => {
      const commands = Array.from({ length: 200 }, (_, index) => `echo ${index}; exit $((${index} % 7))`)
      const { answers } = await session.run(commands, timeout)
      assert.deepEqual(
        answers.map(({ code, stdout }) => [code, stdout]),
        commands.map((_, index) => [index % 7, `${index}\n`]),
      )
    })

    it('each answer has the time at which its own end arrived', async () => {
      const { times } = await session.run(['true', 'sleep 2', 'true'], timeout)
      const [first = 0, second = 0, third = 0] = times
      assert.ok(second - first >= 1600 && third - second < 1600, times.join(' '))
    })

    it('what rc files print before the beginning is nobody’s', async () => {
      session.say('echo Welcome; printf "no newline"; echo "stty: not a tty" >&2\n')
      const { answers } = await session.run(['echo hello; echo hm >&2'], timeout)
      assert.deepEqual(answers, [{ code: 0, stdout: 'hello\n', stderr: 'hm\n' }])
    })

    it('one script after another goes through the same shell', async () => {
      for (const word of ['one', 'two', 'three']) {
        const { answers } = await session.run([`echo ${word}`], timeout)
        assert.equal(answers[0]?.stdout, `${word}\n`)
      }
    })

    it('the host tells how long it took', async () => {
      const { remoteMs } = await session.run(['sleep 0.2'], timeout)
      assert.ok(remoteMs >= 180 && remoteMs < 5000, `${remoteMs} ms`)
    })

    it('a shell that dies is a lost connection, told without the framing', async () => {
      await assert.rejects(session.run(['echo last words >&2; kill -9 $$'], timeout), (error) => {
        assert.ok(error instanceof ConnectionError)
        assert.equal(error.details.stderr?.trim(), 'last words')
        return true
      })
      await assert.rejects(session.run(['true'], timeout), ConnectionError)
    })

    it(`any output and exit code comes back as it was (seed ${seed})`, async function () {
      this.timeout(20_000)
      const output = fc
        .string({
          unit: fc.oneof(fc.constantFrom('\n', "'", '\\', ' ', '0', 'end', 'é', '🍇'), anyCharacter),
        })
        .map((text) => text.replaceAll('\0', ''))
      const command = fc.record(
        { code: fc.nat(255), stdout: output, stderr: output },
        { noNullPrototype: true },
      )
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 8 }), async (expected) => {
          const commands = expected.map(
            ({ code, stdout, stderr }) =>
              `printf %s ${quote(stdout)}; printf %s ${quote(stderr)} >&2; exit ${code}`,
          )
          const { answers } = await session.run(commands, timeout)
          assert.deepEqual(answers, expected)
        }),
        { seed, numRuns: 60 },
      )
    })
  })
}

describe('an unframer', () => {
  const nonce = '00112233445566778899aabb'
  const begin = `\n${nonce} begin\n`
  const stdout = Buffer.from(`${begin}grün 🍇\n\n${nonce} 3\n\n${nonce} end 10.50 12.75\n`)
  const stderr = Buffer.from(`${begin}schwarz\n${nonce}\n\n${nonce} end\n`)
  const expected = { answers: [{ code: 3, stdout: 'grün 🍇\n', stderr: 'schwarz' }], remoteMs: 2250 }

  it(`does not mind where the chunks are cut (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stdout.length)), fc.array(fc.nat(stderr.length)), (outCuts, errCuts) => {
        const unframer = new Unframer(nonce)
        const ends = {
          stdout: cut(stdout, outCuts).map((chunk) => unframer.push('stdout', chunk)),
          stderr: cut(stderr, errCuts).map((chunk) => unframer.push('stderr', chunk)),
        }
        for (const end of Object.values(ends)) {
          assert.equal(end.indexOf(true), end.length - 1, 'the end is told with the last chunk, not before')
        }
        const { answers, remoteMs } = unframer.answers()
        assert.deepEqual({ answers, remoteMs }, expected)
      }),
      { seed, numRuns: 300 },
    )
  })

  it('tells what the first commands printed where the end did not come, and nothing of those after them', () => {
    const unframer = new Unframer(nonce)
    unframer.push(
      'stdout',
      Buffer.from(`rc\n${nonce} begin\nlock\n${nonce} 0\napplied\n${nonce} 0\na secret`),
    )
    unframer.push('stderr', Buffer.from(`\n${nonce} begin\n\n${nonce}\n so far`))
    assert.equal(unframer.textOf(2), 'lockapplied so far')
  })

  it('sees the end byte by byte', () => {
    const unframer = new Unframer(nonce)
    const last = [...stdout].map((byte) => unframer.push('stdout', Buffer.from([byte])))
    assert.deepEqual([last.indexOf(true), last.length - 1], [stdout.length - 1, stdout.length - 1])
  })

  it('takes bytes that are no UTF-8 without losing what follows', () => {
    const unframer = new Unframer(nonce)
    const odd = Buffer.concat([
      Buffer.from(begin),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.from(`\n${nonce} 0\nnext\n${nonce} 0\n\n${nonce} end 1 1\n`),
    ])
    assert.ok(unframer.push('stdout', odd))
    unframer.push('stderr', Buffer.from(`${begin}\n${nonce}\n\n${nonce}\n\n${nonce} end\n`))
    const { answers } = unframer.answers()
    assert.deepEqual(
      answers.map(({ stdout }) => stdout),
      ['\uFFFD\uFFFD\0\uFFFD', 'next'],
    )
  })

  it('is fed by one script, in which no command is outside of quotes', () => {
    const script = frame(nonce, ["echo 'a'; )", 'exit 1'])
    assert.ok(script.includes(`(eval 'echo '\\''a'\\''; )') </dev/null`))
    assert.ok(script.includes("(eval 'exit 1') </dev/null"))
  })
})

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set([...places, bytes.length])].filter((place) => place > 0).toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}
