import * as z from 'zod'
import { clusterShape } from './schema-cluster.ts'
import { hostShape } from './schema-host.ts'

/*
 * The one schema of everything an inventory may set. The text given to a value is what an error says was expected;
 * `.describe()` is what editors and the reference page show.
 */

export { clusterShape, hostShape }
export { unsupported } from './schema-host.ts'

export const hostSchema = z.strictObject(hostShape)
export const settingsSchema = z.strictObject(clusterShape)
/** All that `all` may set: the cluster's settings, and defaults for every host. */
export const allSchema = z.strictObject({ ...clusterShape, ...hostShape })

export type Settings = z.output<typeof settingsSchema>
export type HostVariables = z.output<typeof hostSchema>

/** The schema as JSON Schema, for completion in editors (`# yaml-language-server: $schema=…`) and the reference. */
export function settingsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(allSchema, { io: 'input', unrepresentable: 'any' })
}
