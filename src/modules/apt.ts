import { batched, type Batch } from '../playbook/batch.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { raw, sh } from '../playbook/sh.ts'
import { aptGet } from './apt-get.ts'
import { matching, printed } from './check.ts'

export interface AptOptions extends Common {
  /** Names; `name=version` asks for that version, in which `*` stands for anything. */
  packages: readonly string[]
  /** Default `present`. */
  state?: 'present' | 'absent'
  /** With `absent`: remove the configuration files too. Default false. */
  purge?: boolean
  /** Seconds to wait for another apt or dpkg to finish. Default 600. */
  lockTimeout?: number
}

/**
 * Debian packages, all in one go, without the recommended ones. Package lists are fetched if they are missing, a
 * day old or older than the sources, or if the packages cannot be installed without. Configuration files that were
 * edited stay. An interrupted dpkg is finished first.
 *
 * Errors: no such package; the lock stays held (its holder is named); no space left.
 * The change may take 1800 seconds and `lockTimeout` by default.
 *
 * @see apt-get(8), apt.conf(5), dpkg-query(1)
 * @example apt({ packages: ['docker.io', 'nfs-common'] })
 */
export function apt(options: AptOptions): Resource {
  const { state = 'present', purge = false, lockTimeout = 600 } = options
  const packages = options.packages.map((one) =>
    matching(one, /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[\w.+~:*-]+)?$/, 'a package name such as nfs-common'),
  )
  const names = packages.map((one) => one.split('=')[0] ?? one)
  return resource(
    {
      title: `${state === 'present' ? 'packages' : 'no packages'} ${packages.join(' ')}`,
      probe: names.length === 0 ? raw(':') : batched(QUERY, names, QUERY.merge([names])),
      plan(seen) {
        const found = parse(printed(seen, 'the installed packages'))
        const wrong = packages.filter((one) => !isSo(one, found, state, purge))
        if (wrong.length === 0) return undefined
        const verb = state === 'present' ? ['install'] : [purge ? 'purge' : 'remove']
        const diff = wrong.map(
          (one) => `- ${describe(one, found)}\n+ ${one}${state === 'absent' ? ' absent' : ''}`,
        )
        return { diff: diff.join('\n'), apply: aptGet([...verb, ...wrong], lockTimeout) }
      },
    },
    { timeout: lockTimeout + 1800, ...options },
  )
}

/**
 * What dpkg knows of all packages of a host. Its status file is read as it is, which takes a slow machine a third of
 * what dpkg-query takes; dpkg-query is asked when changes to that file are still in dpkg's journal. A name that is
 * not known makes either exit with 1.
 *
 * @see deb-control(5), dpkg(1) on /var/lib/dpkg
 */
const QUERY: Batch<readonly string[]> = {
  merge(all) {
    const names = [...new Set(all.flat())]
    const stanzas = names.flatMap((name) => ['-e', `Package: ${name.replace(/:.*/, '')}`])
    return sh`set -- /var/lib/dpkg/updates/[0-9]*
if [ -e "$1" ]; then
  dpkg-query -W -f '\${Package} \${Architecture} \${Version} \${db:Status-Status}\n' ${names} 2>/dev/null
else
  grep -x -F -A 13 ${stanzas} /var/lib/dpkg/status
fi || [ $? -eq 1 ]`
  },
  // Each plan looks for its own packages only.
  split: (seen, all) => all.map(() => seen),
}

interface Installed {
  name: string
  architecture: string
  version: string
  status: string
}

function parse(stdout: string): Installed[] {
  if (stdout.startsWith('Package: ')) return stdout.split(/^(?=Package: )/m).map(parseStanza)
  return stdout
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => {
      // The version is empty for a package that was never installed.
      const [name = '', architecture = '', ...rest] = one.split(' ')
      return { name, architecture, version: rest.slice(0, -1).join(' '), status: rest.at(-1) ?? '' }
    })
}

function parseStanza(stanza: string): Installed {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
  return {
    name: field('Package'),
    architecture: field('Architecture'),
    version: field('Version'),
    status: field('Status').split(' ').at(-1) ?? '',
  }
}

const INSTALLED = new Set(['installed', 'triggers-awaited', 'triggers-pending'])

function lookUp(wanted: string, found: readonly Installed[]): Installed[] {
  const [name, architecture] = (wanted.split('=')[0] ?? '').split(':')
  return found.filter((one) => one.name === name && (!architecture || one.architecture === architecture))
}

function isSo(wanted: string, found: readonly Installed[], state: string, purge: boolean): boolean {
  const known = lookUp(wanted, found)
  if (state === 'absent') {
    return known.every((one) => one.status === 'not-installed' || (one.status === 'config-files' && !purge))
  }
  const version = wanted.split('=')[1] ?? '*'
  const pattern = new RegExp(`^${version.replace(/[.+]/g, '\\$&').replaceAll('*', '.*')}$`)
  return known.some((one) => INSTALLED.has(one.status) && pattern.test(one.version))
}

function describe(wanted: string, found: readonly Installed[]): string {
  const known = lookUp(wanted, found)
  const [name] = wanted.split('=')
  return known.map((one) => `${name} ${one.version} (${one.status})`).join(', ') || `${name} (not installed)`
}
