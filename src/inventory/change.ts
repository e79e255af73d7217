import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../errors.ts'
import { replaceFile } from '../replace-file.ts'
import { addHost, noHost, removeHost } from './edit.ts'
import { byHand } from './edit-document.ts'
import { inventoryFile } from './load.ts'
import type { Edited } from './load.ts'
import { withParents } from './membership.ts'
import { checkNew, checkRole, described, isLike, otherwise } from './new-host.ts'
import type { NewHost } from './new-host.ts'
import { readTree } from './tree.ts'
import type { Inventory } from './types.ts'
import { readText } from './variables.ts'
import { parseYaml } from './yaml.ts'

/** A change of an inventory that is worked out and found to mean what it shall, and is not made yet. */
export interface Change {
  readonly file: string
  readonly before: string
  readonly after: string
  /** Files and folders of host_vars that go with their host. */
  readonly gone: readonly string[]
  /** The inventory as it will be. */
  readonly inventory: Inventory
  /** What loadInventory takes to read it so before it is. */
  readonly edited: Edited
}

/** Reads the inventory that is to be changed, or that it would be. */
export type Load = (edited: Edited) => Promise<Inventory>

/**
 * Works out how an inventory gets one more host. If that is there with just this address and these groups, nothing is
 * to be changed: the text after is the text before.
 *
 * @param path as for loadInventory
 * @throws InputError for a name, an address or groups that cannot be, for a host of that name with other ones, and
 * where more than that host would change
 * @example await planAddition('inventory', { name: 'rpi5', address: '192.168.188.15', groups: ['workers'] }, load)
 */
export async function planAddition(path: string, host: NewHost, load: Load): Promise<Change> {
  const { name, address, groups } = host
  checkNew(host)
  const file = await inventoryFile(path)
  const before = await readText(file)
  const inventory = await load({ host: name, text: before })
  for (const group of groups) inventory.group(group)
  const tree = readTree(parseYaml(file, before))
  const belongs = withParents(tree, [...groups, 'all'])
  checkRole(host, belongs)
  const present = inventory.hosts.find((one) => one.name === name)
  if (present) {
    if (!isLike(present, address, belongs))
      throw otherwise(host, present, tree.hosts.get(name)?.[0]?.at([]) ?? file)
    return { file, before, after: before, gone: [], inventory, edited: { host: name } }
  }
  const after = addHost(before, file, host)
  const edited = { host: name, text: after }
  const changed = await loadChanged(file, edited, load)
  const added = changed.hosts.find((one) => one.name === name)
  const isLast = (group: string): boolean => changed.group(group).at(-1) === added
  if (!added || !isLike(added, address, belongs)) {
    throw byHand(file, file, `${name} would be ${added ? described(added) : 'nowhere'}`)
  }
  if (groups.includes('loadbalancers') && !isLast('loadbalancers')) {
    throw byHand(file, file, `${name} would not be the last of the load balancers, whose order counts`)
  }
  checkRest(file, inventory, changed, name)
  return { file, before, after, gone: [], inventory: changed, edited }
}

/**
 * Works out how an inventory loses a host, and its host_vars with it. What an interruption left of them counts, too.
 *
 * @param path as for loadInventory
 * @throws InputError for a host that is not there or is the last, and where more than that host would change
 * @example await planRemoval('inventory', 'rpi4', load)
 */
export async function planRemoval(path: string, name: string, load: Load): Promise<Change> {
  const file = await inventoryFile(path)
  const before = await readText(file)
  const inventory = await load({ host: name, text: before })
  const gone = ['', '.yml', '.yaml', '.json']
    .map((ending) => join(dirname(file), 'host_vars', `${name}${ending}`))
    .filter((place) => existsSync(place))
  const isThere = inventory.hosts.some((host) => host.name === name)
  if (!isThere && gone.length === 0) {
    const names = inventory.hosts.map((host) => host.name)
    throw noHost(name, names, file)
  }
  if (isThere && inventory.hosts.length === 1) {
    const next = 'bramble reset takes everything away'
    throw new InputError(`${name} cannot be removed: it is the last host`, { at: file, next })
  }
  const after = isThere ? removeHost(before, file, name) : before
  const edited = { host: name, text: after }
  const changed = await loadChanged(file, edited, load)
  if (changed.hosts.some((host) => host.name === name))
    throw byHand(file, file, `${name} would still be there`)
  checkRest(file, inventory, changed, name)
  return { file, before, after, gone, inventory: changed, edited }
}

/**
 * Makes a change: the file is replaced as a whole, and then what goes is removed.
 *
 * @throws InputError if the file is not as it was when the change was worked out, or cannot be written
 */
export async function makeChange({ file, before, after, gone }: Change): Promise<void> {
  if ((await readText(file)) !== before) {
    throw new InputError(`${file} has been changed meanwhile`, { at: file, next: 'run the command again' })
  }
  if (after !== before) replaceFile(file, after)
  for (const path of gone) rmSync(path, { recursive: true })
}

/** Where a text is wrong that is in no file yet would lead nobody anywhere. */
async function loadChanged(file: string, edited: Edited, load: Load): Promise<Inventory> {
  return load(edited).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.message, { ...error.details, at: file, cause: error })
  })
}

function checkRest(file: string, before: Inventory, after: Inventory, name: string): void {
  if (isDeepStrictEqual(rest(before, name), rest(after, name))) return
  throw byHand(file, file, `more than ${name} would change`)
}

/** All that an inventory means, but for one host. */
function rest({ hosts, groups, settings }: Inventory, name: string): unknown {
  const others = hosts.filter((host) => host.name !== name)
  const members = [...groups].map(
    ([group, all]) => [group, all.map((host) => host.name).filter((one) => one !== name)] as const,
  )
  return {
    hosts: others.map((host) => ({ ...host, in: undefined })),
    groups: new Map(members.filter(([, names]) => names.length > 0)),
    settings,
  }
}
