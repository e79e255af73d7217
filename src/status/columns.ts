import { oneLine } from '../report/text.ts'
import { stamp } from './stamp.ts'
import type { Cell, Column } from './table.ts'
import type { BalancerStatus, ClusterStatus, Content, NodeStatus } from './types.ts'

const DAY = 86_400_000
const nothing: Cell = { text: '' }
const red = (text: string): Cell => ({ text, style: 'red' })

/** What each node is, and how it is. */
export function nodeColumns({ nodes, time }: ClusterStatus): Column[] {
  const column = (title: string, cell: (node: NodeStatus) => Cell): Column => ({
    title,
    cells: nodes.map(cell),
  })
  const columns = [
    column('role', ({ role, leader }) => ({ text: leader ? 'leader' : (role ?? '–') })),
    column('state', stateCell),
    { ...column('load', ({ load }) => ({ text: load === null ? '–' : load.toFixed(2) })), right: true },
    { ...column('temp', ({ temperature_c: heat }) => heatCell(heat)), right: true },
    column('up since', ({ up_since: since }) => ({ text: since === null ? '–' : stamp(since) })),
    column('certificate', ({ certificate }) => certificateCell(certificate, Date.parse(time))),
  ]
  // Virtual machines have no sensor.
  return nodes.some((node) => node.temperature_c !== null)
    ? columns
    : columns.filter(({ title }) => title !== 'temp')
}

/** What each web server is for the load balancers, and what it serves. */
export function webColumns({ nodes, balancers, time }: ClusterStatus): Column[] {
  const column = (title: string, cell: (node: NodeStatus) => Cell): Column => ({
    title,
    cells: nodes.map(cell),
  })
  const mirrored = nodes.some(({ content }) => content !== null)
  return [
    ...balancers.map((balancer) =>
      column(`from ${balancer.name}`, (node) => serverCell(balancer, node, isWeb(node, balancers))),
    ),
    ...(nodes.some(({ share }) => share !== null) ? [column('share', shareCell)] : []),
    ...(mirrored
      ? [
          column('serves', ({ content }) => sourceCell(content)),
          column('mirror', (node) => mirrorCell(node, Date.parse(time))),
        ]
      : []),
  ]
}

function stateCell({ reachable, state, availability, role }: NodeStatus): Cell {
  if (!reachable) return red('no answer')
  if (role === null) return { text: '–' }
  if (state !== 'ready') return red(oneLine(state ?? '?'))
  return { text: oneLine(availability ?? '?'), ...(availability !== 'active' && { style: 'yellow' }) }
}

function heatCell(heat: number | null): Cell {
  if (heat === null) return { text: '–' }
  const text = `${Math.round(heat)} °C`
  if (heat >= 80) return red(text)
  return { text, ...(heat >= 70 && { style: 'yellow' as const }) }
}

function certificateCell(certificate: NodeStatus['certificate'], now: number): Cell {
  if (!certificate) return { text: '–' }
  const [from, until] = [Date.parse(certificate.from), Date.parse(certificate.until)]
  if (until < now) return red('expired')
  const [left, all] = [Math.floor((until - now) / DAY), Math.round((until - from) / DAY)]
  return {
    text: `${left} of ${all} d left`,
    ...(until - now < 0.15 * (until - from) && { style: 'red' as const }),
  }
}

function isWeb({ name, share }: NodeStatus, balancers: readonly BalancerStatus[]): boolean {
  return share !== null || balancers.some(({ servers }) => servers.some((server) => server.name === name))
}

function serverCell({ error, servers }: BalancerStatus, { name }: NodeStatus, web: boolean): Cell {
  if (!web) return nothing
  if (error !== null) return red('no answer')
  const own = servers.filter((server) => server.name === name)
  const server = own.find(({ up }) => !up) ?? own[0]
  if (!server) return red('unknown')
  if (!server.up) return red(oneLine(server.status))
  return server.status === 'UP' ? { text: 'up' } : { text: oneLine(server.status), style: 'yellow' }
}

function shareCell({ share }: NodeStatus): Cell {
  if (!share) return nothing
  if (!share.mounted) return red('not mounted')
  if (share.answers) return { text: 'answers' }
  return red(share.error === null ? 'no answer' : 'fails')
}

function sourceCell(content: Content | null): Cell {
  if (!content) return nothing
  return { text: oneLine(content.source), ...(content.source !== 'nfs' && { style: 'yellow' as const }) }
}

function mirrorCell({ content, clock_offset_s: offset }: NodeStatus, now: number): Cell {
  if (!content?.refreshed) return nothing
  const age = Math.max(0, now - Date.parse(content.refreshed) + (offset ?? 0) * 1000)
  return { text: `${ago(age)} old${content.bytes === null ? '' : `, ${size(content.bytes)}`}` }
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ''}`
}
