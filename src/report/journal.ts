import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Event, Listener } from '../engine/events.ts'
import { eventLine } from './json.ts'

/** How many runs are kept. */
const kept = 20

/**
 * Keeps every event of a run as a line of JSON in `<directory>/<UTC time>-<pid>/events.jsonl`, without secrets,
 * readable by its owner only. The file is made at the first event; of the runs in the directory the last 20 are
 * kept. A journal that cannot be written (disk full, no permission) does not stop the run: a process warning
 * says so, once.
 *
 * @example
 * const { listener, path } = journal('.bramble/runs')
 */
export function journal(directory: string): { listener: Listener; path: string } {
  const time = new Date().toISOString().replaceAll(/[-:]/g, '')
  const path = join(directory, `${time}-${process.pid}`, 'events.jsonl')
  let state: 'new' | 'open' | 'broken' = 'new'

  function write(event: Event): void {
    if (state === 'new') {
      makeDirectory(dirname(path))
      removeOld(directory)
      state = 'open'
    }
    appendFileSync(path, `${eventLine(event)}\n`, { mode: 0o600 })
  }

  function listener(event: Event): void {
    if (state === 'broken') return
    try {
      write(event)
    } catch (error) {
      state = 'broken'
      process.emitWarning(`the journal ${path} cannot be written: ${String(error)}`)
    }
  }

  return { listener, path }
}

/** As mkdir -p; Node.js's own says ENOENT of a file system that may not be written. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another run makes it at the same time.
    if (!existsSync(path)) throw error
  }
}

function removeOld(directory: string): void {
  const runs = readdirSync(directory).filter((name) => /^\d{8}T\d{6}\.\d{3}Z-\d+$/.test(name))
  for (const name of runs.toSorted().slice(0, -kept)) {
    rmSync(join(directory, name), { recursive: true, force: true })
  }
}
