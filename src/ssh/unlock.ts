import { ConnectionError, InputError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'
import { keyFiles, offeredKeys } from './identities.ts'
import { lockedKey, openKeyFile, type KeyFile } from './key-files.ts'
import type { Target } from './target.ts'

/** Gives the passphrase of a key and says where it came from; undefined where there is nobody to ask. */
export type Passphrase = (path: string) => Promise<{ secret: Secret; from: string } | undefined>

/**
 * Opens, before the first connection, the keys that are protected by a passphrase and that hosts are to be reached
 * with: those that the inventory or ssh_config names, and a default one where there is no other key. What an agent
 * holds needs no passphrase. Each is asked for once.
 *
 * Errors: InputError for a wrong passphrase, and when there is none for a key without which a host cannot be reached.
 */
export async function unlockKeys(targets: readonly Target[], passphrase: Passphrase): Promise<void> {
  for (const target of targets.flatMap(route)) {
    try {
      await unlockOf(target, passphrase)
    } catch (error) {
      // A key that cannot be read is told when its host is reached for: the others need not wait for it.
      if (!(error instanceof ConnectionError)) throw error
    }
  }
}

async function unlockOf(target: Target, passphrase: Passphrase): Promise<void> {
  const offered = await offeredKeys(target)
  const ready = offered.filter(({ inAgent, file }) => inAgent || file?.private)
  const held = new Set(offered.flatMap(({ inAgent, file }) => (inAgent && file ? [file] : [])))
  const locked = keyFiles(target).filter((file) => file.locked && !held.has(file))
  const other = ready.length > 0 || target.password !== undefined
  const named = target.identitiesFrom !== 'default'
  const wanted = named ? locked : locked.slice(0, other ? 0 : 1)
  for (const file of wanted) await unlock(file, !other, passphrase)
}

/** The hosts on the way to a target, and the target. */
export function route(target: Target): Target[] {
  return target.via ? [...route(target.via), target] : [target]
}

async function unlock(file: KeyFile, needed: boolean, passphrase: Passphrase): Promise<void> {
  if (!file.locked) return
  const given = await passphrase(file.path)
  if (given) return openKeyFile(file, given.secret, given.from)
  if (!needed) return
  const { message, next } = lockedKey(file.path)
  throw new InputError(message, { next })
}
