import { TaskError } from '../errors.ts'
import { resource, type Change, type Common, type Resource } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { absolutePath, fileText, matching, printed } from './check.ts'
import { replaced, unified } from './diff.ts'
import { escapeField, inForce, newTable, parseEntry, type Entry } from './fstab.ts'
import { splitLines } from './text.ts'
import { write } from './write.ts'

export interface MountOptions extends Common {
  /** Where. */
  path: string
  /** What: `/dev/sda1`, `UUID=…`, `rpi4:/srv/share`. */
  source: string
  /** `ext4`, `nfs`, `tmpfs`, … */
  type: string
  /** As in fstab. Default `defaults`. */
  options?: string
  /** Default 0. */
  dump?: number
  /** Order of the check at boot. Default 0: none. */
  pass?: number
  /** Default `mounted`. */
  state?: 'mounted' | 'absent'
}

/**
 * A line in /etc/fstab, and the file system mounted. What is mounted with another source, type or options than
 * wanted is mounted anew: of the options, those are compared that the kernel shows as they were given, and all of
 * them with those that fstab had. A server that does not answer keeps neither the probe nor the unmounting.
 *
 * Errors: what mount(8) says.
 *
 * @see fstab(5), mount(8), nfs(5), proc_pid_mounts(5)
 * @example
 * mount({ path: '/srv/share', source: 'rpi4:/srv/share', type: 'nfs', options: 'ro,softerr,timeo=20,_netdev,nofail' })
 */
export function mount(options: MountOptions): Resource {
  const { state = 'mounted', dump = 0, pass = 0 } = options
  const path = fileText(absolutePath(options.path)).replace(/(.)\/+$/, '$1')
  const wanted: Entry = {
    source: fileText(matching(options.source, /^[^]+$/, 'a source to mount')),
    path,
    type: matching(options.type, /^[\w.-]+$/, 'a type of file system'),
    options: fileText(matching(options.options ?? 'defaults', /^\S+$/, 'mount options without spaces')),
  }
  const entry = [wanted.source, path, wanted.type, wanted.options]
    .map(escapeField)
    .concat(`${dump}`, `${pass}`)
    .join(' ')
  return resource(
    {
      title: `${state === 'absent' ? 'no mount' : 'mount'} ${path}`,
      // The same for all mounts, so that it is run once; /proc is read without asking any server.
      probe: raw(
        `[ ! -e /etc/fstab ] || set -- /etc/fstab\nexec cat /proc/self/mounts - "$@" <<'END'\n${MARK}END`,
      ),
      plan(seen): Change | undefined {
        const [mounts, table] = split(printed(seen, 'mounts'))
        const live = splitLines(mounts)
          .map(parseEntry)
          .findLast((one) => one?.path === path)
        const after = newTable(table, path, state === 'mounted' ? entry : undefined)
        const wrong =
          state === 'mounted'
            ? (difference(live, wanted) ?? outdated(splitLines(table).map(parseEntry), wanted))
            : live && 'mounted'
        const before = wrong !== undefined && live ? [unmount(path)] : []
        const then =
          wrong !== undefined && state === 'mounted' ? [sh`mkdir -p -- ${path}\nmount -- ${path}`] : []
        if (wrong === undefined && after === table) return undefined
        if (after === table)
          return {
            diff: replaced(`${path}: ${wrong}`, `${path}: ${state}`),
            apply: lines(...before, ...then),
          }
        return { diff: unified('/etc/fstab', table, after), apply: lines(...before, ...keep(after), ...then) }
      },
    },
    options,
  )
}

const MARK = '--- fstab\n'

function split(stdout: string): [string, string] {
  const at = stdout.indexOf(MARK)
  const table = stdout.slice(at + MARK.length)
  if (!table.includes('\uFFFD')) return [stdout.slice(0, at), table]
  throw new TaskError('/etc/fstab is not UTF-8 text', {
    expected: 'UTF-8 text',
    found: 'other bytes',
    next: 'mend it by hand',
  })
}

function keep(table: string): Sh[] {
  const content = Buffer.from(table)
  return [
    write({ path: '/etc/fstab', content, owner: 'root', group: 'root', mode: '0644' }).apply,
    raw('[ ! -d /run/systemd/system ] || systemctl daemon-reload'),
  ]
}

/** Lazily if it has to be: a busy or dead file system shall not keep the new one away. */
function unmount(path: string): Sh {
  return sh`timeout 10 umount -- ${path} 2>/dev/null || umount -l -- ${path}`
}

/** What keeps the live mount from being the wanted one. */
function difference(live: Entry | undefined, wanted: Entry): string | undefined {
  if (!live) return 'not mounted'
  const asked = wanted.options.split(',')
  // Of a bind mount, and of a device named by its label or UUID, the kernel shows something else.
  const opaque = asked.some((one) => one === 'bind' || one === 'rbind')
  if (!opaque && !/^\w+=/.test(wanted.source) && live.source !== wanted.source)
    return `mounted from ${live.source}`
  if (!opaque && live.type.replace(/^nfs4$/, 'nfs') !== wanted.type.replace(/^nfs4$/, 'nfs'))
    return `mounted as ${live.type}`
  const shown = new Set(live.options.split(','))
  const lacking = asked.filter((one) => isShown(one, wanted.type) && !shown.has(one))
  if (!asked.includes('ro') && shown.has('ro')) lacking.push('rw')
  // A bind mount has those of its source; FUSE sets them itself, and options for users bring them along.
  const inherits =
    opaque || live.type.startsWith('fuse') || asked.some((one) => /^(users?|owner|group)$/.test(one))
  const extra = ['nosuid', 'nodev', 'noexec'].filter((one) => shown.has(one) && !asked.includes(one))
  if (!inherits) lacking.push(...extra.map((one) => one.slice(2)))
  return lacking.length === 0 ? undefined : `mounted without ${lacking.join(', ')}`
}

/**
 * Mounted by a line of fstab with another source or other options: of a bind mount the kernel does not tell the one, and of
 * most options not which ones are in force. The old
 * mount goes before the line does, so that a run that ends between them leaves it to be mounted.
 */
function outdated(table: readonly (Entry | undefined)[], wanted: Entry): string | undefined {
  const former = table.findLast((one) => one?.path === wanted.path)
  if (!former) return undefined
  if (former.source !== wanted.source) return `mounted from ${former.source}`
  return inForce(former.options) === inForce(wanted.options) ? undefined : `mounted with ${former.options}`
}

/** Options that the kernel shows as they were given. */
function isShown(option: string, type: string): boolean {
  if (/^(ro|rw|noatime|nosuid|nodev|noexec)$/.test(option)) return true
  return /^nfs4?$/.test(type) && /^(soft|softerr|hard|(timeo|retrans)=\d+|vers=4\.\d)$/.test(option)
}
