import { resource, type Common, type Facts, type Resource, type Seen } from '../playbook/resource.ts'
import { lines, sh } from '../playbook/sh.ts'
import { aptGet, WITHOUT_LISTS } from './apt-get.ts'

const LISTS = '/var/lib/apt/lists'

export interface AptListsOptions extends Common {
  /** Seconds. Default 3600. */
  maxAge?: number
  /** Seconds to wait for another apt or dpkg to finish. Default 600. */
  lockTimeout?: number
}

/**
 * Package lists that are not too old, of the sources as they are now.
 *
 * Errors: those of apt-get: no mirror, a wrong signature.
 *
 * @see apt-get(8)
 * @example aptLists({ maxAge: 86_400 })
 */
export function aptLists({ maxAge = 3600, lockTimeout = 600, ...common }: AptListsOptions = {}): Resource {
  return resource(
    {
      title: 'package lists',
      writes: LISTS,
      probe: lines(
        sh`stale=`,
        WITHOUT_LISTS,
        sh`[ -n "$stale" ] || echo $(($(date +%s) - $(stat -c %Y ${LISTS})))`,
      ),
      plan(seen) {
        const age = seen.stdout.trim()
        if (age !== '' && Number(age) <= maxAge) return undefined
        const found =
          age === '' ? 'none of the current sources' : `fetched ${Math.round(Number(age) / 60)} minutes ago`
        return {
          diff: `- ${found}\n+ fetched now`,
          apply: aptGet(['update'], lockTimeout),
        }
      },
    },
    { timeout: lockTimeout + 900, ...common },
  )
}

export interface AptUpgradedOptions extends Common {
  /** Seconds to wait for another apt or dpkg to finish. Default 600. */
  lockTimeout?: number
}

/** Takes no lock, and leaves apt's cache files as they are. */
const simulation = sh`LC_ALL=C apt-get --simulate --quiet=2 -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= --with-new-pkgs upgrade`

/**
 * What there is to upgrade, by the package lists as they are; see `aptLists()`. Nothing is changed.
 * Facts: `upgrades`, how many packages; `unknown` where dpkg was cut short.
 *
 * @example aptUpgrades()
 */
export function aptUpgrades(common: Common = {}): Resource {
  return resource(
    {
      title: 'packages to upgrade',
      restsOn: [LISTS],
      probe: simulation,
      plan: () => undefined,
      facts: (seen): Facts => ({ upgrades: seen.code === 0 ? String(upgradesOf(seen).length) : 'unknown' }),
    },
    common,
  )
}

/**
 * Every installed package in the newest version that the package lists know. None is removed; those that others need
 * anew are installed. Packages on hold, and configuration files that were edited, stay as they are.
 *
 * Errors: those of apt-get; the lock stays held (its holder is named); no space left.
 *
 * @see apt-get(8), apt-mark(8)
 * @example aptUpgraded()
 */
export function aptUpgraded({ lockTimeout = 600, ...common }: AptUpgradedOptions = {}): Resource {
  return resource(
    {
      title: 'packages upgraded',
      restsOn: [LISTS],
      // Of all that it writes, what a reboot may rest on.
      writes: '/boot',
      probe: simulation,
      plan(seen) {
        const upgrades = upgradesOf(seen)
        // Where dpkg was cut short, it is finished first.
        if (upgrades.length === 0 && seen.code === 0) return undefined
        return {
          diff:
            seen.code === 0
              ? upgrades.map(({ name, from, to }) => `- ${name} ${from}\n+ ${name} ${to}`).join('\n')
              : '- an unfinished dpkg\n+ every package upgraded',
          apply: aptGet(['--with-new-pkgs', 'upgrade'], lockTimeout),
        }
      },
    },
    { timeout: lockTimeout + 3600, ...common },
  )
}

/** Lines such as `Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])`; a new package has no version before. */
function upgradesOf({ stdout }: Seen): { name: string; from: string; to: string }[] {
  return stdout.split('\n').flatMap((line) => {
    const [, name = '', from = '(not installed)', to = ''] =
      /^Inst (\S+)(?: \[([^\]]+)\])? \((\S+)/.exec(line) ?? []
    return name === '' ? [] : [{ name, from, to }]
  })
}
