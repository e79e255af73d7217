import { sh, type Sh } from '../playbook/sh.ts'
import { fileMode, ownerName } from './check.ts'
import type { Look } from './look.ts'

export interface Attributes {
  owner: string
  /** Left as it is if undefined. */
  group?: string | undefined
  mode: string
}

/** Those that are asked for; else a file is the user's as whom the task runs, which is root by default. */
export function wantedAttributes(
  asked: { owner?: string; group?: string; mode?: string; becomeUser?: string },
  mode: string,
): Attributes {
  const {
    becomeUser,
    owner = becomeUser ?? 'root',
    group = becomeUser === undefined ? 'root' : undefined,
  } = asked
  return {
    owner: ownerName(owner),
    group: group === undefined ? undefined : ownerName(group),
    mode: fileMode(asked.mode ?? mode),
  }
}

/** As chown(1) takes it. */
export function ownership({ owner, group }: Pick<Attributes, 'owner' | 'group'>): string {
  return group === undefined ? owner : `${owner}:${group}`
}

/** What differs, as `- found` and `+ wanted` lines; empty if nothing does. Owner and group may be names or numbers. */
export function attributesDiff(found: Look, wanted: Attributes): string {
  const same =
    [found.uid, found.user].includes(wanted.owner) &&
    (wanted.group === undefined || [found.gid, found.group].includes(wanted.group)) &&
    found.mode === wanted.mode
  if (same) return ''
  return `- owner ${found.user}:${found.group} mode ${found.mode}\n+ owner ${ownership(wanted)} mode ${wanted.mode}`
}

/**
 * Sets owner and mode; in this order, because a change of owner clears the set-user-ID bit. The mode with five digits:
 * with four, chmod leaves a directory's set-group-ID bit as it is.
 */
export function setAttributes(path: string, attributes: Attributes): Sh {
  return sh`chown ${ownership(attributes)} ${path} && chmod ${`0${attributes.mode}`} ${path}`
}
