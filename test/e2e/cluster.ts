import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DrillsResult } from '../../src/drill/result.ts'
import type { Event } from '../../src/engine/events.ts'
import { inNamespace } from '../../src/lab/lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  /** Peak memory of the process, in MB. */
  memory: number
}

/** Runs the program as a user does, from the project's folder. */
export function bramble(...args: string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['bin/bramble', ...args], { cwd: root })
    let stdout = ''
    let stderr = ''
    let memory = 0
    const watch = setInterval(() => {
      memory = Math.max(memory, peakMemory(child.pid))
    }, 50)
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(watch)
      resolve({ code, stdout, stderr, memory })
    })
  })
}

/** The same against the lab, with JSON lines for output. */
export async function apply(...args: string[]): Promise<Ran & { events: Event[]; summary: Summary }> {
  const ran = await bramble('apply', '-i', 'inventory/lab', '-o', 'json', ...args)
  const events = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  const last = events.at(-1)
  assert(last?.type === 'summary', `no summary at the end:\n${ran.stdout}\n${ran.stderr}`)
  return { ...ran, events, summary: last }
}

/** Runs drills against the lab, once the cluster has settled; their report is kept as a user's is. */
export async function drills(...args: string[]): Promise<Ran & { result: DrillsResult }> {
  await eventually('the cluster to be whole', 300, async () => {
    const { code, stdout } = await bramble('status', '-i', 'inventory/lab', '-o', 'lines')
    if (code !== 0) throw new Error(stdout)
    return true
  })
  const ran = await bramble('drill', ...args, '-i', 'inventory/lab', '-o', 'json')
  return { ...ran, result: JSON.parse(ran.stdout) as DrillsResult }
}

export type Summary = Extract<Event, { type: 'summary' }>

/** Titles of the tasks that changed something, or would have, by host. */
export function changes(events: readonly Event[]): Record<string, string[]> {
  const byHost: Record<string, string[]> = {}
  for (const event of events) {
    if (event.type === 'task' && event.status === 'changed') (byHost[event.host] ??= []).push(event.title)
  }
  return byHost
}

/** What was not so at once and had to be waited for. */
export function waits(events: readonly Event[]): string[] {
  return events.flatMap((event) =>
    event.type === 'task' && event.status === 'ok' && event.reason
      ? [`${event.host} ${event.title}: ${event.reason}`]
      : [],
  )
}

/** What a host was busy with, for messages. */
export function doings(events: readonly Event[], host: string): string {
  return events
    .flatMap((event) => (event.type === 'doing' && event.host === host ? [event.what] : []))
    .join('; ')
}

/** A command on one Pi, as root; what it printed. */
export async function on(host: string, command: string): Promise<string> {
  const ran = await bramble('exec', host, '-i', 'inventory/lab', '--', 'sh', '-c', command)
  assert.equal(ran.code, 0, `${host}: ${command}\n${ran.stdout}${ran.stderr}`)
  return ran.stdout.replaceAll(`${host}  `, '')
}

/** The page through the virtual IP, the node whose Nginx served it, and whether that was from `nfs` or its `mirror`. */
export async function page(path = '/'): Promise<{ body: string; node: string; content: string }> {
  const url = `http://192.168.188.200${path}`
  const [program = '', ...args] = inNamespace(['curl', '-sS', '--include', '--max-time', '10', url])
  const reply = await new Promise<string>((resolve, reject) => {
    execFile(program, args, (error, stdout) => (error ? reject(error) : resolve(stdout)))
  })
  const [head = '', ...body] = reply.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 (200|404) /)
  const header = (name: string) => new RegExp(`^x-bramble-${name}: (\\S+)`, 'im').exec(head)?.[1] ?? ''
  return { body: body.join('\r\n\r\n'), node: header('node'), content: header('content') }
}

/** What `attempt` returns once it returns something; it is tried again until the deadline, in seconds. */
export async function eventually<T>(
  what: string,
  seconds: number,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const value = await attempt()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: last })
}

function peakMemory(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
