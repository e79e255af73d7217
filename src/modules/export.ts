import { posix } from 'node:path'
import { InputError, TaskError } from '../errors.ts'
import { resource, type Change, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh } from '../playbook/sh.ts'
import { absolutePath, matching, printed } from './check.ts'
import { replaced, unified } from './diff.ts'
import { joinLines, splitLines } from './text.ts'
import { write } from './write.ts'

export interface NfsClient {
  /** An address, a network as `192.168.188.0/24`, a name, or `*`. */
  address: string
  /** As in exports(5): `ro,sync,no_subtree_check`. */
  options: string
}

export interface NfsExportOptions extends Common {
  /** The directory. */
  path: string
  clients: readonly NfsClient[]
  /** Default `/etc/exports.d/bramble.exports`. */
  file?: string
}

/**
 * A directory that the NFS server exports to these clients and no others. The file may hold other exports too.
 *
 * Errors: what exportfs(8) says; another file exports the same directory to more clients.
 *
 * @see exports(5), exportfs(8)
 * @example nfsExport({ path: '/srv/share', clients: [{ address: '192.168.188.11', options: 'ro,no_subtree_check,fsid=1' }] })
 */
export function nfsExport(options: NfsExportOptions): Resource {
  const path = absolutePath(options.path)
  const table = absolutePath(options.file ?? '/etc/exports.d/bramble.exports')
  if (options.clients.length === 0)
    throw new InputError(`no clients for the export of ${path}`, { expected: 'at least one' })
  const clients = options.clients.map(({ address, options: given }) => ({
    address: matching(address, /^[\w.:*?@/[\]-]+$/, 'an address, a network or a name'),
    options: matching(given, /^[\w=,.:/-]+$/, 'options as in exports(5)'),
  }))
  const field = escape(path)
  const entry = [field, ...clients.map((client) => `${client.address}(${client.options})`)].join(' ')
  return resource(
    {
      title: `NFS export ${path}`,
      probe: sh`for file in /var/lib/nfs/etab ${table}; do
[ ! -e "$file" ] || while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line"; done <"$file"
echo ---
done`,
      plan(seen): Change | undefined {
        const [live, before] = cut(printed(seen, 'NFS exports'), table)
        const all = splitLines(before)
        const others = all.filter((one) => one.split(/[ \t]/)[0] !== field)
        const kept = all.includes(entry) && others.length === all.length - 1
        const after = kept ? before : joinLines([...others, entry])
        const wrong = difference(splitLines(live), field, clients)
        if (kept && wrong === undefined) return undefined
        const keep = write({
          path: table,
          content: Buffer.from(after),
          owner: 'root',
          group: 'root',
          mode: '0644',
        })
        return {
          diff: kept ? replaced(`${path}: ${wrong}`, `${path}: exported`) : unified(table, before, after),
          apply: lines(
            ...(kept ? [] : [sh`mkdir -p -- ${posix.dirname(table)}`, keep.apply]),
            sh`exportfs -ra`,
          ),
        }
      },
    },
    options,
  )
}

/** What the server exports and what the file says; a comment in either may look like the mark after them. */
function cut(stdout: string, table: string): [string, string] {
  const end = stdout.startsWith(MARK) ? 0 : stdout.indexOf(`\n${MARK}`) + 1
  const before = stdout.slice(end + MARK.length, -MARK.length)
  if (!before.includes('\uFFFD')) return [stdout.slice(0, end), before]
  throw new TaskError(`${table} is not UTF-8 text`, {
    expected: 'UTF-8 text',
    found: 'other bytes',
    next: 'mend it by hand',
  })
}

const MARK = '---\n'

function escape(text: string): string {
  return text.replace(/[ \t-\r"#\\]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

/** What keeps the exports that the server has now from being the wanted ones. */
function difference(
  table: readonly string[],
  field: string,
  clients: readonly NfsClient[],
): string | undefined {
  const live = new Map<string, string[]>()
  for (const one of table) {
    const [, directory, address, given] = /^([^\t]+)\t(.+)\((.*)\)$/.exec(one) ?? []
    if (directory === field && address !== undefined) live.set(address, (given ?? '').split(','))
  }
  for (const client of clients.filter(({ address }) => numeric(address))) {
    const shown = live.get(client.address)
    if (!shown) return `not exported to ${client.address}`
    const lacking = client.options.split(',').filter((one) => SHOWN.test(one) && !shown.includes(one))
    if (lacking.length > 0) return `exported to ${client.address} without ${lacking.join(', ')}`
  }
  if (live.size === 0) return 'not exported'
  if (!clients.every(({ address }) => numeric(address))) return undefined
  const extra = [...live.keys()].filter((address) => !clients.some((client) => client.address === address))
  return extra.length === 0 ? undefined : `exported to ${extra.join(', ')} too`
}

/** Options that the server shows as they were given. */
const SHOWN =
  /^(ro|rw|sync|async|root_squash|no_root_squash|all_squash|no_all_squash|no_subtree_check|fsid=\d+)$/

/** The server shows names as DNS gives them back, so only addresses, networks and `*` can be compared. */
function numeric(address: string): boolean {
  return address === '*' || /^[\d./]+$|:/.test(address)
}
