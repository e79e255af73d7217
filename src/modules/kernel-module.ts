import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, sh } from '../playbook/sh.ts'
import { cutLine, matching, printed } from './check.ts'
import { replaced } from './diff.ts'
import { write } from './write.ts'

export interface KernelModuleOptions extends Common {
  /** `-` and `_` are the same. */
  name: string
  /** Load it at boot too. Default true. */
  persist?: boolean
}

/**
 * A kernel module that is loaded, or built into the kernel.
 *
 * Errors: the running kernel has no such module.
 *
 * @see modprobe(8), modules-load.d(5)
 * @example kernelModule({ name: 'br_netfilter' })
 */
export function kernelModule(options: KernelModuleOptions): Resource {
  const { persist = true } = options
  const name = matching(options.name, /^[A-Za-z0-9_][\w-]*$/, 'the name of a kernel module').replaceAll(
    '-',
    '_',
  )
  const path = `/etc/modules-load.d/bramble-${name}.conf`
  // What is built in has a directory in /sys/module only if it takes parameters; its file name may have `-` or `_`.
  const builtin = `/${name.replaceAll('_', '[-_]')}\\.ko`
  const loaded = sh`if [ -d ${`/sys/module/${name}`} ]; then echo loaded; else
read -r release </proc/sys/kernel/osrelease
if grep -q ${builtin} "/lib/modules/$release/modules.builtin" 2>/dev/null; then echo builtin; else echo absent; fi
fi`
  const kept = sh`[ ! -e ${path} ] || { read -r line <${path}; printf '%s\\n' "$line"; }`
  return resource(
    {
      title: `kernel module ${name}`,
      probe: persist ? lines(loaded, kept) : loaded,
      plan(seen) {
        const [state, boot] = cutLine(printed(seen, `kernel module ${name}`))
        const load = state === 'absent'
        const keep = persist && boot !== `${name}\n`
        if (!load && !keep) return undefined
        const found = [load ? 'not loaded' : '', keep ? 'not loaded at boot' : ''].filter(
          (part) => part !== '',
        )
        const wanted = [load ? 'loaded' : '', keep ? 'loaded at boot' : ''].filter((part) => part !== '')
        const content = Buffer.from(`${name}\n`)
        const apply = [
          ...(load ? [sh`modprobe ${name}`] : []),
          ...(keep ? [write({ path, content, owner: 'root', group: 'root', mode: '0644' }).apply] : []),
        ]
        return {
          diff: replaced(`${name} ${found.join(', ')}`, `${name} ${wanted.join(', ')}`),
          apply: lines(...apply),
        }
      },
    },
    options,
  )
}
