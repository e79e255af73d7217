import { EventEmitter, once } from 'node:events'
import { DefaultRenderer, figures, Listr, ListrLogger, ProcessOutput, Spinner } from 'listr2'
import type { ListrDefaultRendererLogLevels } from 'listr2'
import type { Screen } from './rows.ts'

const eraseLine = '\u001B[2K'
const firstColumn = '\u001B[G'

/** What live rows need. */
export interface LiveOptions {
  stream: NodeJS.WriteStream
  /** Milliseconds between two drawings. */
  interval: number
  /** The most rows there will be. */
  height: number
  draw: (icons: Screen['icons']) => string[]
  /** Hands over the text that shall stay above the rows. */
  takeAbove: () => string
}

/** Draws live rows with listr2 until the function that it returns is called, which removes them again. */
export function start(options: LiveOptions): () => Promise<void> {
  const end = new EventEmitter()
  const released = once(end, 'end').then(() => undefined)
  const slots = Array.from({ length: options.height }, () => ({ title: ' ', task: () => released }))
  const spinner = new Ticker(options.interval, (frame) => fill(frame))
  const output = new Output(options)
  const list = new Listr(slots, {
    concurrent: true,
    registerSignalListeners: false,
    renderer: rendererOf(options.interval),
    rendererOptions: {
      clearOutput: true,
      formatOutput: 'truncate',
      icon: { PENDING: '', COMPLETED: '', WAITING: '' },
      logger: new ListrLogger<ListrDefaultRendererLogLevels>({
        useIcons: true,
        processOutput: output,
      }),
      spinner,
    },
  })

  /** Sets the rows without telling listr2 of each, which would draw all of them anew for every one. */
  function fill(busy: string): void {
    const drawn = options.draw({ busy, done: figures.tick, failed: figures.cross, waiting: '·' })
    list.tasks.forEach((task, index) => {
      task.title = drawn[index] ?? ''
    })
  }

  fill(spinner.frame())
  const ended = list.run()
  // A process that ends under live rows leaves neither a hidden cursor nor what it wrote meanwhile unsaid.
  const giveBack = (): void => output.release()
  process.once('exit', giveBack)
  return async () => {
    end.emit('end')
    await ended
    process.off('exit', giveBack)
  }
}

/** Draws at the spinner's pace: by itself listr2 draws all rows at every change of one. */
function rendererOf(interval: number): typeof DefaultRenderer {
  return class extends DefaultRenderer {
    // The stream decides, not process.stdout, which is all that listr2 looks at.
    static override nonTTY = true
    // The first drawing waits for the first tick: until then listr2 has not made all rows.
    #last = Date.now()

    override update(): void {
      // Half an interval, so that a tick that comes early is not left out.
      if (Date.now() - this.#last < interval / 2) return
      this.#last = Date.now()
      super.update()
    }
  }
}

/** Puts the text that shall stay between the erasing of the old rows and the drawing of the new, in one write. */
class Output extends ProcessOutput {
  readonly #takeAbove: () => string

  constructor({ stream, takeAbove }: LiveOptions) {
    super(stream)
    this.#takeAbove = takeAbove
  }

  override get stdout(): NodeJS.WriteStream {
    const stdout = super.stdout
    const write = stdout.write.bind(stdout)
    stdout.write = (chunk: string | Uint8Array) => {
      const text = String(chunk)
      // log-update erases with a sequence that ends by moving the cursor to the first column.
      const drawn = text.startsWith(eraseLine) ? text.indexOf(firstColumn) + firstColumn.length : 0
      return write(text.slice(0, drawn) + this.#takeAbove() + text.slice(drawn))
    }
    return stdout
  }
}

/** Ticks slower than listr2's own spinner, and lets the rows be filled before each drawing. */
class Ticker extends Spinner {
  readonly #interval: number
  readonly #tick: (frame: string) => void

  constructor(interval: number, tick: (frame: string) => void) {
    super()
    this.#interval = interval
    this.#tick = tick
  }

  frame(): string {
    return super.fetch()
  }

  /** Rows bring their own icon. */
  override fetch(): string {
    return ''
  }

  override start(draw?: () => void): void {
    super.start(() => {
      this.#tick(this.frame())
      draw?.()
    }, this.#interval)
  }
}
