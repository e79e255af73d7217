import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { absolutePath, fileText, matching, printed } from './check.ts'
import { replaced, unified } from './diff.ts'
import { write } from './write.ts'

export interface SysctlOptions extends Common {
  /** Kernel parameters by name, as `net.ipv4.ip_forward` or `net/ipv4/ip_forward`. */
  settings: Readonly<Record<string, string | number>>
  /** Which holds these settings and nothing else. Default `/etc/sysctl.d/60-bramble.conf`. */
  file?: string
}

/**
 * Kernel parameters, now and after the next boot. Only those that differ are set.
 *
 * Errors: no such parameter, or the kernel refuses the value.
 *
 * @see sysctl.d(5), proc_sys(5)
 * @example sysctl({ settings: { 'net.ipv4.ip_nonlocal_bind': 1 } })
 */
export function sysctl(options: SysctlOptions): Resource {
  const path = matching(
    absolutePath(options.file ?? '/etc/sysctl.d/60-bramble.conf'),
    /^[^\n]*$/,
    'a path on one line',
  )
  const settings = Object.entries(options.settings).map(([name, value]) => ({
    name: matching(name, /^[A-Za-z0-9_][\w./-]*$/, 'the name of a kernel parameter'),
    value: words(fileText(matching(String(value), /^[^\n]*$/, 'a value on one line'))),
    proc: procPath(name),
  }))
  const text = settings.map(({ name, value }) => `${name} = ${value}\n`).join('')
  // One process for all files. Not the shell's read, which takes a byte at a time: the kernel tells a number as a whole.
  const probe = sh`grep -sH '' ${settings.map(({ proc }) => proc)} ${path} || [ $? -le 2 ]`
  return resource(
    {
      title: `sysctl ${settings.map(({ name }) => name).join(' ')}`,
      probe,
      plan(seen) {
        const found = printed(seen, 'kernel parameters').split('\n')
        const contentOf = (file: string) =>
          found.filter((line) => line.startsWith(`${file}:`)).map((line) => line.slice(file.length + 1))
        const wrong = settings
          .map((setting) => ({ ...setting, found: words(contentOf(setting.proc).join(' ')) }))
          .filter((setting) => setting.found !== setting.value)
        const rest = contentOf(path)
          .map((line) => `${line}\n`)
          .join('')
        const stale = rest !== text
        if (wrong.length === 0 && !stale) return undefined
        const diff = wrong.map(({ name, value, found }) =>
          replaced(`${name} = ${found || '(not there)'}`, `${name} = ${value}`),
        )
        if (stale) diff.push(unified(path, rest === '' ? undefined : rest, text))
        const set = wrong.map(({ name, value, proc }) => refusable(name, value, proc))
        // Last: a value that the kernel refuses shall not come back at the next boot.
        const keep = stale
          ? [write({ path, content: Buffer.from(text), owner: 'root', group: 'root', mode: '0644' }).apply]
          : []
        return { diff: diff.join('\n'), apply: lines(...set, ...keep) }
      },
    },
    options,
  )
}

/** With dots between the parts, or slashes; then a part may have dots in it, as an interface `eth0.100` does. */
function procPath(name: string): string {
  const slashes = /[./]/.exec(name)?.[0] === '/'
  return `/proc/sys/${slashes ? name : name.replace(/[./]/g, (one) => (one === '.' ? '/' : '.'))}`
}

function words(value: string): string {
  return value.trim().split(/\s+/).join(' ')
}

function refusable(name: string, value: string, proc: string): Sh {
  const message = `the kernel does not take ${name} = ${value}`
  return sh`printf '%s\\n' ${value} >${proc} || { echo ${message} >&2; exit 1; }`
}
