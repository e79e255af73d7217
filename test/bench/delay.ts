import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

interface Endpoint {
  address: string
  port: number
}

/**
 * Listens at an address and passes connections on to another one, as a network would that takes `milliseconds` for
 * a way there and back: half of it each way, and one and a half of it before a new connection has reached the other
 * end. Neither loss nor bandwidth nor the slow start of TCP is modelled. Returns what ends it.
 *
 * netem(8) would do the same to packets; few kernels of containers and small virtual machines have it.
 */
export async function startDelay(from: Endpoint, to: Endpoint, milliseconds: number): Promise<() => void> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    // The client's kernel says at once that the connection stands, where a network would have let it wait.
    const arrival = performance.now() + 1.5 * milliseconds
    const far = pause(1.5 * milliseconds).then(() =>
      connect({ host: to.address, port: to.port, noDelay: true, allowHalfOpen: true }),
    )
    sockets.add(near.on('close', () => sockets.delete(near)))
    pass(near, far, () => Math.max(arrival, performance.now() + milliseconds / 2))
    void far.then((socket) => pass(socket, Promise.resolve(near), () => performance.now() + milliseconds / 2))
  })
  server.listen(from.port, from.address)
  await once(server, 'listening')
  return () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

/** Hands on what comes from one socket, in order, each part when it is due. */
function pass(source: Socket, sink: Promise<Socket>, due: () => number): void {
  let last: Promise<unknown> = sink
  const later = (act: (to: Socket) => void): void => {
    const at = due()
    const before = last
    last = (async () => {
      await before
      await pause(Math.max(0, at - performance.now()))
      act(await sink)
    })()
  }
  source.on('data', (chunk: Buffer) => later((to) => to.write(chunk)))
  source.on('end', () => later((to) => to.end()))
  source.on('error', () => source.destroy())
  source.on('close', () => later((to) => to.destroySoon()))
}
