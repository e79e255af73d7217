import { quote } from '../playbook/sh.ts'

/** One command of a script: what it printed and how it ended. */
export interface Answer {
  code: number
  stdout: string
  stderr: string
}

interface Section {
  text: string
  mark: string
  /** Where in the stream it ends. */
  end: number
}

export interface Answers {
  answers: Answer[]
  /** When the end of each arrived, by the clock here, in milliseconds since 1970. */
  times: number[]
  /** What the host itself spent on the script, by its own clock (resolution 10 ms). */
  remoteMs: number
}

/**
 * One script out of many commands, each in its own subshell with /dev/null as stdin, framed by `nonce`. `eval`
 * keeps a syntax error inside its subshell; `:` keeps the nonce from the next command, whose `$_` it would be in bash.
 * Runs in any POSIX sh.
 *
 * `first` runs in the shell itself, before them: what it opens as file descriptor 9 or sets stays until the session
 * ends, and no command inherits the descriptor. Its answer comes first; if it fails, it is the only one.
 */
export function frame(nonce: string, commands: readonly string[], first?: string): string {
  const mark = (code: string) => `printf '\\n%s %s\\n' ${nonce} ${code}; printf '\\n%s\\n' ${nonce} >&2; :\n`
  const rest = commands.map((text) => `(eval ${quote(text)}) </dev/null 9>&-; ${mark('$?')}`)
  const body =
    first === undefined
      ? rest
      : [
          `eval ${quote(first)} </dev/null; bramble_first=$?; ${mark('$bramble_first')}`,
          'if [ "$bramble_first" -eq 0 ]; then :\n',
          ...rest,
          'fi\n',
        ]
  return [
    `read -r bramble_start _ </proc/uptime; : "\${bramble_opened:=$bramble_start}"; printf '\\n%s begin\\n' ${nonce}; printf '\\n%s begin\\n' ${nonce} >&2; :\n`,
    ...body,
    `read -r bramble_end _ </proc/uptime; printf '\\n%s end %s %s\\n' ${nonce} "$bramble_start" "$bramble_end"; printf '\\n%s end\\n' ${nonce} >&2\n`,
  ].join('')
}

/** Collects what a framed script prints on both streams, until it is whole. */
export class Unframer {
  readonly #nonce: string
  readonly #chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  readonly #tails = { stdout: '', stderr: '' }
  /** When each chunk of stdout arrived, and how many bytes had with it. */
  readonly #arrivals: { bytes: number; at: number }[] = []

  constructor(nonce: string) {
    this.#nonce = nonce
  }

  /** Takes what arrived on a stream; true when that stream's end has come. */
  push(stream: 'stdout' | 'stderr', chunk: Buffer): boolean {
    this.#chunks[stream].push(chunk)
    if (stream === 'stdout') {
      this.#arrivals.push({ bytes: (this.#arrivals.at(-1)?.bytes ?? 0) + chunk.length, at: Date.now() })
    }
    // The end marker may straddle chunks, so the last characters of what came before are kept beside them.
    const tail = this.#tails[stream] + chunk.toString('latin1')
    this.#tails[stream] = tail.slice(-200)
    const end = tail.lastIndexOf(`\n${this.#nonce} end`)
    return end >= 0 && tail.indexOf('\n', end + 1) > 0
  }

  /** What the commands printed; call it when both streams have ended. */
  answers(): Answers {
    const out = this.#sections(this.#chunks.stdout)
    const err = this.#sections(this.#chunks.stderr)
    const answers = out.sections.map(({ text, mark }, index) => ({
      code: Number(mark),
      stdout: text,
      stderr: err.sections[index]?.text ?? '',
    }))
    const times = out.sections.map(
      (section) => this.#arrivals.find(({ bytes }) => bytes > section.end)?.at ?? Date.now(),
    )
    const [start = 0, end = 0] = out.end.split(' ').map(Number)
    return { answers, times, remoteMs: Math.round((end - start) * 1000) }
  }

  /** Whether the script has begun to run. */
  get begun(): boolean {
    return Buffer.concat(this.#chunks.stdout).includes(`\n${this.#nonce} begin\n`)
  }

  /** All that was printed so far, without the framing: for the message when the connection ends too early. */
  text(stream: 'stdout' | 'stderr'): string {
    const printed = Buffer.concat(this.#chunks[stream]).toString('utf8')
    return printed.replaceAll(new RegExp(`\\n${this.#nonce}.*\\n`, 'g'), '')
  }

  /** The same of the first commands only, on both streams. */
  textOf(commands: number): string {
    const mark = new RegExp(`\\n${this.#nonce}.*\\n`)
    return [this.#chunks.stdout, this.#chunks.stderr]
      .flatMap((chunks) => {
        const [, ...parts] = Buffer.concat(chunks).toString('utf8').split(mark)
        return parts.slice(0, commands)
      })
      .join('')
  }

  #sections(chunks: readonly Buffer[]): { sections: Section[]; end: string } {
    const sections: Section[] = []
    const all = Buffer.concat(chunks)
    const begin = `\n${this.#nonce} begin\n`
    // What a login shell's rc files print comes before the beginning and is nobody's output.
    let from = all.indexOf(begin) + begin.length
    for (;;) {
      const at = all.indexOf(`\n${this.#nonce}`, from)
      if (at < 0) return { sections, end: '' }
      const eol = all.indexOf('\n', at + 1)
      const mark = all.toString('utf8', at + 1 + this.#nonce.length, eol).trim()
      if (mark.startsWith('end')) return { sections, end: mark.slice(4) }
      sections.push({ text: all.toString('utf8', from, at), mark, end: at })
      from = eol + 1
    }
  }
}
