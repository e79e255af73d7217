import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import type { Content, Share } from './types.ts'

/** What a machine tells of itself; null for what it does not have. */
export interface Machine {
  load: number | null
  temperature_c: number | null
  uptime_s: number | null
  /** Seconds since 1970, by its own clock. */
  clock: number | null
  disk_free_mb: number | null
  os: string | null
  kernel: string | null
  /** The network interface that has the virtual address. */
  vip: string | null
  share: Share | null
  content: Content | null
}

/**
 * A line a thing. It is asked for again and again, on small machines: what the shell can read by itself starts no
 * program. `mount` is where the share is to be, on web servers.
 */
export function machineProbe(vip: string, mount: string | undefined, seconds: number): Sh {
  const own = raw(`[ ! -r /etc/os-release ] || { . /etc/os-release; echo "os $PRETTY_NAME"; }
for name in sys/kernel/osrelease loadavg uptime; do read -r line </proc/$name; echo "\${name##*/} $line"; done
sensor=/sys/class/thermal/thermal_zone0/temp
[ ! -r $sensor ] || { read -r line <$sensor; echo "millidegrees $line"; }
date '+clock %s'
df -Pk / | { read -r _; read -r _ _ _ free _; echo "disk_free_kb $free"; }`)
  // The service that keeps the mirror writes it; there is none where there is no mirror.
  const content = raw(
    `[ ! -r /run/bramble/content ] || while read -r line; do echo "content $line"; done </run/bramble/content`,
  )
  const held = sh`ip -o -4 address show to ${vip}`
  if (mount === undefined) return lines(own, held)
  return lines(look(mount), own, content, held, answer(mount, seconds))
}

/** The kernel's word on what is mounted; then a question that only the server can answer: how full it is. */
function look(path: string): Sh {
  return sh`mounted=
while read -r source where type _; do [ "$where" != ${path} ] || mounted=yes; done </proc/self/mounts
# What waits for a dead server may not even end by a signal: it is left behind, with nothing that anybody waits for.
if [ -n "$mounted" ]; then
  stat -f ${path} >/dev/null 2>&1 &
  look=$!
fi`
}

function answer(path: string, seconds: number): Sh {
  return sh`[ -n "$mounted" ] || exit 0
echo mounted
tries=0
while kill -0 $look 2>/dev/null; do
  if [ "$tries" -ge ${Math.round(Math.min(seconds, 3) * 20)} ]; then kill -KILL $look; exit 0; fi
  tries=$((tries + 1))
  sleep 0.05
done
if wait $look; then echo answers; else timeout -s KILL 1 stat -f ${path} 2>&1 >/dev/null | sed 's/^/fails /'; fi`
}

/** Reads what `machineProbe` printed. */
export function readMachine(stdout: string, mount: string | undefined): Machine {
  const told = new Map(stdout.split('\n').map((line) => cut(line, ' ')))
  const number = (key: string): number | null => numberOf(told.get(key)?.split(' ')[0])
  const [millidegrees, kilobytes] = [number('millidegrees'), number('disk_free_kb')]
  // 2: eth0    inet 192.168.188.200/32 scope global eth0
  const vip = /^\d+: (\S+) +inet /m.exec(stdout)?.[1]
  return {
    load: number('loadavg'),
    temperature_c: millidegrees === null ? null : Math.round(millidegrees / 100) / 10,
    uptime_s: number('uptime'),
    clock: number('clock'),
    disk_free_mb: kilobytes === null ? null : Math.floor(kilobytes / 1024),
    os: told.get('os') ?? null,
    kernel: told.get('osrelease') ?? null,
    vip: vip ?? null,
    share: mount === undefined ? null : shareOf(told, mount),
    content: contentOf(stdout),
  }
}

function shareOf(told: ReadonlyMap<string, string>, path: string): Share {
  return {
    path,
    mounted: told.has('mounted'),
    answers: told.has('answers'),
    // stat: cannot read file system information for '/srv/share': Stale file handle
    error: told.get('fails')?.replace(/^.*': /, '') ?? null,
  }
}

/** Lines of `key=value`, of which the source at least is there where a mirror is kept. */
function contentOf(stdout: string): Content | null {
  const found = new Map([...stdout.matchAll(/^content (.*)$/gm)].map(([, line = '']) => cut(line, '=')))
  const source = found.get('source')
  if (!source) return null
  const time = (key: string): string | null => {
    const seconds = numberOf(found.get(key))
    return seconds === null || seconds <= 0 || seconds > 1e11 ? null : new Date(seconds * 1000).toISOString()
  }
  return {
    source,
    since: time('since'),
    reason: found.get('reason') ?? null,
    error: found.get('error') ?? null,
    refreshed: time('refreshed'),
    bytes: numberOf(found.get('bytes')),
    files: numberOf(found.get('files')),
  }
}

/** What stands before and after the first separator. */
function cut(line: string, separator: string): [string, string] {
  const [key = '', ...rest] = line.split(separator)
  return [key, rest.join(separator).trim()]
}

function numberOf(text: string | undefined): number | null {
  return text === undefined || !/^\d+(\.\d+)?$/.test(text) ? null : Number(text)
}
