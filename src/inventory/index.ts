/**
 * The inventory: which hosts there are, what each is for, and the settings of the cluster.
 *
 * @module
 */
export { withConnection } from './inventory.ts'
export { inventoryFile, loadInventory, type Edited } from './load.ts'
export { secretsFile, type ReadSecrets } from './secrets.ts'
export { knownGroups, matchHosts } from './patterns.ts'
export { settingsJsonSchema } from './schema.ts'
export type { Cluster, Connection, Host, HostKeys, HostSettings, Inventory, Settings } from './types.ts'
