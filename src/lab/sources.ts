import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const debian = 'http://deb.debian.org/debian'
const security = 'http://deb.debian.org/debian-security'

/**
 * The package sources of a virtual Pi: Debian 12 with its updates, from the mirrors this computer itself uses if
 * it names any, else from Debian's own.
 *
 * @param hostSources text of sources.list(5) files, in either of its two formats
 */
export function aptSources(hostSources: string): string[] {
  const uris = [
    ...hostSources.matchAll(/^(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(https?:\/\/\S+?)\/?(?:\s|$)/gm),
  ].map((match) => match[1] ?? '')
  const main = uris.find((uri) => uri.endsWith('/debian')) ?? debian
  const updates = uris.find((uri) => uri.endsWith('/debian-security')) ?? security
  return [
    `deb ${main} bookworm main`,
    `deb ${main} bookworm-updates main`,
    `deb ${updates} bookworm-security main`,
  ]
}

/** All of this computer's sources.list(5) files, one after another. */
export function readHostSources(directory = '/etc/apt'): string {
  const parts = join(directory, 'sources.list.d')
  const files = [join(directory, 'sources.list'), ...list(parts).map((name) => join(parts, name))]
  return files.map(read).join('\n')
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted()
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
