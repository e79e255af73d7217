/**
 * What a playbook author imports from `bramble`.
 *
 * @module
 */
export { play, playbook, type Context, type Play, type Playbook, type Template } from './play.ts'
export { lines, quote, raw, sh, type Sh } from './sh.ts'
export { resource, type Change, type Common, type Handler, type Resource, type Seen } from './resource.ts'
export { UnknownFact, type FactStore } from './facts.ts'
export { BrambleError, InputError, TaskError } from '../errors.ts'
export { Secret } from '../secrets/secret.ts'
export { secretOf } from './secret-of.ts'
export type { Cluster, Host } from '../inventory/index.ts'
export { stackChecks } from '../stack/checks.ts'
export { mirrorDirectory, renderStack, stackModel, stackNodeLabels } from '../stack/model.ts'
export { imageRevisions, keepalivedSources } from '../stack/revisions.ts'
export { backInService, outOfService } from '../nodes/service.ts'
export { vipBack, type When } from '../nodes/vip.ts'
export * from '../modules/index.ts'
