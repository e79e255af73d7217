import { InputError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import { absolutePath } from './check.ts'

interface WaitBase extends Common {
  /** Seconds. Default 60. */
  timeout?: number
}

/** One of: a TCP port that accepts, a path that exists, an http URL that answers 2xx or 3xx, a command that exits with 0. */
export type WaitForOptions = WaitBase &
  (
    | { port: number; /** Default 127.0.0.1. */ host?: string }
    | { path: string }
    | { url: string }
    | { command: Sh; /** What is waited for, in words. */ title: string }
  )

/**
 * Waits, as seen from the host, until something is so. Nothing is changed.
 *
 * Errors: it is not so when the time is over.
 *
 * @see bash(1) on /dev/tcp
 * @example waitFor({ port: 2049, host: 'rpi4', timeout: 120 })
 */
export function waitFor(options: WaitForOptions): Resource {
  const { timeout = 60 } = options
  const { what, check } = target(options)
  return resource(
    {
      title: `wait for ${what}`,
      probe: sh`(\n${check}\n) >/dev/null 2>&1`,
      plan: (seen) =>
        seen.code === 0 ? undefined : { diff: `- no ${what} yet`, apply: waiting(what, check, timeout) },
    },
    { ...options, timeout: timeout + 30 },
  )
}

/** Counts by the time since boot, because a Pi's clock jumps when it is first set. */
function waiting(what: string, check: Sh, timeout: number): Sh {
  return sh`read -r now _ </proc/uptime
end=$((\${now%.*} + ${timeout}))
until (\n${check}\n) >/dev/null 2>&1; do
read -r now _ </proc/uptime
[ "\${now%.*}" -lt "$end" ] || { echo ${`waited ${timeout} s in vain for ${what}`} >&2; exit 1; }
sleep 1
done`
}

function target(options: WaitForOptions): { what: string; check: Sh } {
  if ('port' in options) {
    const { port, host = '127.0.0.1' } = options
    return {
      what: `${host} port ${port}`,
      check: sh`timeout 3 bash -c ': <>"/dev/tcp/$0/$1"' ${host} ${checkedPort(port)}`,
    }
  }
  if ('path' in options) return { what: options.path, check: sh`[ -e ${absolutePath(options.path)} ]` }
  if ('url' in options) return { what: options.url, check: answering(options.url) }
  return { what: options.title, check: options.command }
}

function checkedPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new InputError('not a TCP port', { expected: '1 to 65535', found: String(port) })
}

// By bash, because neither curl nor wget is on every Debian.
const GET = `exec 3<>"/dev/tcp/$0/$1" || exit
printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' "$2" "$3" >&3
read -r _ code _ <&3
[[ $code == [23]?? ]]`

function answering(url: string): Sh {
  const { protocol, hostname, port, pathname, search, host } = new URL(URL.canParse(url) ? url : 'invalid:')
  if (protocol !== 'http:') {
    throw new InputError('cannot wait for this URL', {
      expected: 'a URL that begins with http://',
      found: JSON.stringify(url),
      next: 'for anything else wait for a command, such as curl',
    })
  }
  const address = hostname.replace(/^\[|\]$/g, '')
  return sh`timeout 5 bash -c ${GET} ${address} ${port || 80} ${pathname + search} ${host}`
}
