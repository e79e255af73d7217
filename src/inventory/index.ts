/**
 * The inventory: which hosts there are, what each is for, and the settings of the cluster.
 *
 * @module
 */
export { withConnection } from './inventory.ts'
export { loadInventory } from './load.ts'
export { knownGroups, matchHosts } from './patterns.ts'
export { settingsJsonSchema } from './schema.ts'
export type { Cluster, Connection, Host, HostKeys, HostSettings, Inventory, Settings } from './types.ts'
