import { isMap } from 'yaml'
import type { Pair } from 'yaml'
import { InputError } from '../errors.ts'
import { byHand, endOf, isEmpty, isInFlow, nameOf, pairsOf } from './edit-document.ts'
import { rangeOf, readWritten, refuseAliases, sitesOf, writeOut } from './edit-document.ts'
import type { Written } from './edit-document.ts'
import { addressLike, emptyLike } from './edit-like.ts'
import { hasAddress, placeOf } from './edit-place.ts'
import { putBelow } from './edit-put.ts'
import type { Entry } from './edit-put.ts'
import { quoted, quoteOf } from './edit-style.ts'
import { replaceKey } from './edit-take.ts'
import { noGroup } from './inventory.ts'
import { withParents } from './membership.ts'
import { didYouMean } from './nearest.ts'
import type { NewHost } from './new-host.ts'
import { knownGroups } from './patterns.ts'
import { expandRange, extendedBy, withoutHost } from './ranges.ts'
import { readTree } from './tree.ts'
import type { Tree } from './tree.ts'
import { parseYaml } from './yaml.ts'

/**
 * The text of an inventory file with one more host: with its address where those of the others stand, and as the last
 * one of its groups. It is written as its neighbours are; all else stays as it is, byte for byte. A group that another
 * one of them brings along is left alone, and one that only playbooks know is made.
 *
 * @param file its name, for errors
 * @throws InputError for a name that is there, a group that is not, and YAML that only a human should change
 * @example addHost(text, 'hosts.yml', { name: 'rpi5', address: '192.168.188.15', groups: ['workers', 'webservers'] })
 */
export function addHost(text: string, file: string, { name, address, groups }: NewHost): string {
  const tree = readTree(parseYaml(file, text))
  const there = tree.hosts.get(name)?.[0]
  if (there) throw new InputError(`host ${name} is in the inventory already`, { at: there.at([]) })
  const known = new Set([...tree.groups.keys(), ...knownGroups])
  for (const group of groups) if (!known.has(group)) throw noGroup(group, known)

  const written = readWritten(file, text)
  const needed = groups.filter((group) => !groups.some((other) => bringsAlong(tree, other, group)))
  const listing = (holds: (pair: Pair) => boolean) => (group: string) =>
    sitesOf(written).some((site) => site.group === group && pairsOf(site.hosts?.value).some(holds))
  const all = ['all'].filter(listing(() => true))
  const implied = [...withParents(tree, groups)].filter((group) => group !== 'all')
  const home = [...all, ...groups, ...implied].find(listing(hasAddress)) ?? all[0] ?? needed[0]
  return [...new Set([...all, ...(home === undefined ? [] : [home]), ...needed])].reduce(
    (edited, group) => addTo(readWritten(file, edited), group, name, group === home ? address : undefined),
    text,
  )
}

/**
 * The text of an inventory file without a host, wherever it is named; a range that names it gets shorter, or is split.
 * Comments in its own lines and at their ends go with it, those above it stay, as does all else, byte for byte.
 *
 * @param file its name, for errors
 * @throws InputError for a name that is not there, and YAML that only a human should change
 * @example removeHost(text, 'hosts.yml', 'rpi4')
 */
export function removeHost(text: string, file: string, name: string): string {
  const tree = readTree(parseYaml(file, text))
  if (!tree.hosts.has(name)) throw noHost(name, tree.hosts.keys(), file)
  let edited = text
  for (;;) {
    const written = readWritten(file, edited)
    const maps = sitesOf(written).flatMap(({ hosts }) => (isMap(hosts?.value) ? [hosts.value] : []))
    const names = (pair: Pair): boolean => expandRange(nameOf(pair)).includes(name)
    const map = maps.find(({ items }) => items.some(names))
    const pair = map?.items.find(names)
    if (!map || !pair) break
    edited = replaceKey(written, map, pair, withoutHost(nameOf(pair), name))
  }
  if (!readTree(parseYaml(file, edited)).hosts.has(name)) return edited
  // What an alias repeats may stand where no group is.
  throw byHand(file, tree.hosts.get(name)?.at(-1)?.at([]) ?? file, `${name} behind an alias`, writeOut)
}

/** The error for a host that is not in the inventory. */
export function noHost(name: string, names: Iterable<string>, at: string): InputError {
  const known = [...names]
  const next = didYouMean(name, known, `known: ${known.join(', ')}`)
  return new InputError(`no host is called \`${name}\``, { at, next })
}

/** Whether the hosts of one group belong to the other one, too. */
function bringsAlong(tree: Tree, group: string, other: string): boolean {
  return group !== other && withParents(tree, [group]).has(other)
}

/** Puts a host into a group; with an address where that is to stand. */
function addTo(written: Written, group: string, name: string, address: string | undefined): string {
  const { text } = written
  const [holder, missing] = placeOf(written, group)
  const end = endOf(text, holder)
  refuseAliases(written, [end, end], 'around')
  const siblings = pairsOf(holder.value)
  const neighbours = missing.length === 0 ? siblings : []
  const range = address === undefined ? rangeWith(neighbours.at(-1), name) : undefined
  if (range !== undefined && isMap(holder.value)) {
    return replaceKey(written, holder.value, siblings.at(-1) as Pair, [range])
  }
  const model = (siblings.at(-1) ?? holder).key
  const quote = quoteOf(model)
  const value =
    address === undefined
      ? emptyLike(text, neighbours, isInFlow(written, rangeOf(model)[0]))
      : addressLike(text, neighbours, address, quote)
  const entry: Entry = [quoted(name, quote), value]
  return putBelow(
    written,
    holder,
    missing.reduceRight<Entry>((inner, key) => [quoted(key, quote), [inner]], entry),
  )
}

/** The range that the last entry of a group would be with one more host, if it is one without variables. */
function rangeWith(last: Pair | undefined, name: string): string | undefined {
  return last && isEmpty(last.value) ? extendedBy(nameOf(last), name) : undefined
}
