import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'

/** What tells that a file is still the one it was: its modification time and size, or that it is gone. */
export function stamp(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs} ${stat.size}` : 'gone'
}

/** What was kept in a file as JSON; undefined for none yet, or one that a full disk cut off: it is made anew. */
export function readKept(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Another run may read the same file at the same time: it finds the whole of it, or none. */
export function keep(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, content)
  renameSync(temporary, path)
}
