import { sh, type Sh } from '../playbook/sh.ts'
import type { ServerStatus } from './types.ts'

/** Prints HAProxy's statistics for `readStatistics`, to be run on its own machine. It is waited for so many seconds. */
export function statisticsProbe(healthPort: number, seconds: number): Sh {
  return sh`curl -fsS --max-time ${seconds} ${`http://127.0.0.1:${healthPort}/stats;csv`} 2>&1`
}

/**
 * The servers in HAProxy's statistics; undefined when this is no such CSV. `now` in milliseconds since 1970.
 *
 * @see HAProxy Management Guide, 9.1. CSV format
 * @example readStatistics(csv, Date.now())?.map(({ name, status }) => `${name} ${status}`) // ['rpi1 UP', 'rpi2 DOWN']
 */
export function readStatistics(csv: string, now: number): ServerStatus[] | undefined {
  const [head = '', ...rows] = csv.trim().split('\n')
  if (!head.startsWith('# pxname,')) return undefined
  const names = cells(head.slice(2))
  return rows.map(cells).flatMap((row) => {
    const of = (name: string): string => row[names.indexOf(name)] ?? ''
    // Frontends, backends and listeners are told, too.
    if (of('type') !== '2') return []
    const status = of('status')
    // A star in front: the next check is under way.
    const check = of('check_status').replace(/^\* /, '')
    const detail = of('last_chk')
    return [
      {
        name: of('svname'),
        up: /^(UP|no check)/.test(status),
        status,
        since: new Date(now - Number(of('lastchg')) * 1000).toISOString(),
        check: check + (detail && !check.endsWith('OK') ? `: ${detail}` : ''),
      },
    ]
  })
}

/** The cells of a line of CSV; a quoted one may hold commas, and quotes twice. */
function cells(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? '',
  )
}
