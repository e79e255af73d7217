import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { BrambleError } from '../errors.ts'
import { keyType } from './fingerprint.ts'
import { appendLines, namesHost, parseLine } from './known-hosts.ts'

/**
 * Puts a key in the place of all that a known_hosts file has for a host; revocations and certificate authorities stay.
 * A reader sees the file as it was or as it is to be, and no line that another process adds meanwhile is lost.
 *
 * Errors: BrambleError when another process has been about to do the same for 40 s.
 */
export async function replaceKnownKey(file: string, id: string, key: Buffer): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  // The new file is the lock, too: whoever can make it may replace the old one.
  const next = `${file}.new`
  await claim(next)
  const old = openSync(file, 'a+', 0o600)
  try {
    const text = readFileSync(old, 'utf8')
    const lines = text.split('\n').flatMap((line) => without(line, id))
    const kept = lines.join('\n').replace(/(?<=[^\n])\n?$/, '\n')
    writeFileSync(next, `${kept}${id.toLowerCase()} ${keyType(key)} ${key.toString('base64')}\n`)
    renameSync(next, file)
    // Lines that came into the old file after it was read; appendLines writes later ones into the new one.
    const late = readFileSync(old, 'utf8')
    if (late !== '') appendLines(file, late)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  } finally {
    closeSync(old)
  }
}

/** Makes the file that only one process at a time can make. One that was left behind by a crash is old. */
async function claim(path: string): Promise<void> {
  const deadline = Date.now() + 40_000
  for (;;) {
    try {
      return writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (made !== undefined && made < Date.now() - 30_000) rmSync(path, { force: true })
    else if (Date.now() > deadline) throw new BrambleError(`${path} stays there`, { next: 'Remove it.' })
    await delay(20)
  }
}

/** A line of known_hosts that says nothing of a host any more. */
function without(line: string, id: string): string[] {
  const parsed = parseLine(line)
  if (!parsed || parsed.marker !== undefined || !namesHost(parsed.hosts, id)) return [line]
  if (parsed.hosts.startsWith('|1|')) return []
  const others = parsed.hosts.split(',').filter((name) => name.toLowerCase() !== id.toLowerCase())
  if (others.every((name) => name.startsWith('!'))) return []
  const hosts = namesHost(others.join(','), id) ? [`!${id}`, ...others] : others
  return [line.replace(parsed.hosts, () => hosts.join(','))]
}
