import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from 'ssh2'
import type { Target } from './target.ts'

/** What an SSH connection runs over. */
export interface Socket {
  stream: Duplex
  /** What a proxy command printed on stderr; called when the connection has failed. */
  problem: () => Promise<string>
}

/** Opens an authenticated connection to a jump host. */
export type OpenJump = (target: Target) => Promise<Client>

/** The way to a host: TCP, a command, or through a jump host. Errors: what `openJump` throws; others reach the stream. */
export async function openSocket(target: Target, openJump: OpenJump): Promise<Socket> {
  if (target.via) return through(target.via, target, openJump)
  if (target.proxyCommand) return byCommand(target.proxyCommand)
  // ssh2 leaves Nagle on, which costs 40 ms a command.
  const stream = connect({ host: target.host, port: target.port, noDelay: true })
  return { stream, problem: () => Promise.resolve('') }
}

function byCommand(command: string): Socket {
  // Ctrl-C at the terminal is not meant for it: the step under way is to finish. It ends with its stdin.
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin })
  stream.on('close', () => child.kill())
  stream.on('error', () => child.kill())
  child.on('error', (error) => stream.destroy(error))
  // Its last words may arrive after the end of the connection that they explain.
  const closed = once(child, 'close').catch(() => undefined)
  const problem = async () => {
    await Promise.race([closed, delay(500, undefined, { ref: false })])
    return stderr
  }
  return { stream, problem }
}

interface Jump {
  client: Promise<Client>
  users: number
}

/** Connections to jump hosts: all hosts behind one share it, since sshd takes only so many at a time (MaxStartups). */
const jumps = new Map<string, Jump>()

async function through(via: Target, target: Target, openJump: OpenJump): Promise<Socket> {
  const id = JSON.stringify(via)
  const jump = jumps.get(id) ?? { client: openJump(via), users: 0 }
  jumps.set(id, jump)
  jump.users += 1
  const leave = () => {
    jump.users -= 1
    if (jump.users > 0) return
    if (jumps.get(id) === jump) jumps.delete(id)
    jump.client.then((client) => client.end()).catch(() => undefined)
  }
  try {
    const client = await jump.client
    // Each host behind it listens.
    client.setMaxListeners(0)
    client.once('close', () => {
      if (jumps.get(id) === jump) jumps.delete(id)
    })
    const stream = await forward(client, target)
    stream.once('close', leave)
    return { stream, problem: () => Promise.resolve('') }
  } catch (error) {
    if (jumps.get(id) === jump) jumps.delete(id)
    leave()
    throw error
  }
}

/** The jump host's kernel would try for minutes to reach a host that answers nothing. */
function forward(client: Client, { host, port, connectTimeout }: Target): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no connection within ${connectTimeout} s`)),
      connectTimeout * 1000,
    )
    client.once('close', () => reject(new Error('the connection to the jump host was lost')))
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      clearTimeout(late)
      if (error) reject(error)
      else resolve(channel)
    })
  })
}
