import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { BrambleError } from '../src/errors.ts'

/** A way to a host that can be taken away. */
export interface Proxy {
  port: number
  /** Ends all connections, in both directions. */
  cut(): void
  /** Forwards nothing from here on, or once so many more bytes have gone to the host, and tells neither side. */
  hush(after?: number): void
  /** New connections are forwarded again; those that were hushed stay so. */
  heal(): void
  stop(): Promise<void>
}

/**
 * Forwards connections to 127.0.0.1 through a program whose stdin and stdout are the connection, such as `socat`.
 *
 * @example const proxy = await startProxy(['socat', '-', 'TCP:10.77.0.11:22'])
 */
export async function startProxy(command: readonly string[]): Promise<Proxy> {
  const connections = new Map<Socket, ChildProcess>()
  let hushed = false
  let left = Infinity
  const server = createServer((socket) => {
    const [program = '', ...words] = command
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] })
    connections.set(socket, child)
    socket.on('error', () => socket.destroy())
    child.on('error', () => socket.destroy())
    child.stdin.on('error', () => undefined)
    if (hushed) return
    socket.on('data', ({ length }: Buffer) => {
      left -= length
      if (left <= 0) hush()
    })
    socket.pipe(child.stdin)
    child.stdout.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new BrambleError('no free port')
  const cut = () => {
    for (const [socket, child] of connections) {
      socket.destroy()
      child.kill('SIGKILL')
    }
    connections.clear()
  }
  const hush = () => {
    hushed = true
    left = Infinity
    for (const [socket, child] of connections) {
      socket.unpipe()
      child.stdout?.unpipe()
      // What has arrived is let go: it would be delivered late, and a full pipe would tell the other side.
      socket.resume()
      child.stdout?.resume()
      // The other side is not to learn that this one has ended.
      socket.removeAllListeners('end')
    }
  }
  return {
    port: address.port,
    cut,
    hush(after = 0) {
      if (after > 0) left = after
      else hush()
    },
    heal() {
      hushed = false
    },
    async stop() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
