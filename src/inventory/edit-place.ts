import { isAlias } from 'yaml'
import type { Pair } from 'yaml'
import { byHand, isEmpty, pairOf, pairsOf, sitesOf } from './edit-document.ts'
import type { Site, Written } from './edit-document.ts'

/**
 * The key that a host of a group is to be put below, and the keys that are missing in between.
 *
 * @throws InputError for a group that is nowhere, where there is no `all` to make it below
 */
export function placeOf(written: Written, group: string): [holder: Pair, missing: string[]] {
  const sites = sitesOf(written)
  const site = best(sites, group)
  if (site) return site.hosts ? [site.hosts, []] : [site.pair, ['hosts']]
  const all = best(sites, 'all')?.pair
  if (!all)
    throw byHand(written.file, `${written.file}:1:1`, `neither ${group} nor \`all\`, to make it below`)
  const children = pairOf(all.value, 'children')
  return children ? [children, [group, 'hosts']] : [all, ['children', group, 'hosts']]
}

/** Of the places where a group is written the one that says most of its hosts. */
function best(sites: readonly Site[], group: string): Site | undefined {
  return sites.filter((site) => site.group === group).toSorted((one, other) => rank(other) - rank(one))[0]
}

function rank({ pair, hosts }: Site): number {
  if (pairsOf(hosts?.value).some(hasAddress)) return 5
  if (hosts && !isAlias(hosts.value)) return isEmpty(hosts.value) ? 3 : 4
  if (hosts || isAlias(pair.value)) return 0
  return isEmpty(pair.value) ? 1 : 2
}

export function addressOf({ value }: Pair): Pair | undefined {
  return pairOf(value, 'address') ?? pairOf(value, 'ansible_host')
}

export function hasAddress(pair: Pair): boolean {
  return addressOf(pair) !== undefined
}
