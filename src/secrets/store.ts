import { readFileSync } from 'node:fs'
import { dump, load } from 'js-yaml'
import { InputError } from '../errors.ts'
import { replaceFile } from '../replace-file.ts'
import type { Keys } from './keys.ts'
import { Secret } from './secret.ts'

/** What opens a file of secrets again: a passphrase, or the identity of any of the recipients. */
export type Lock = { passphrase: Secret } | { recipients: readonly string[] }

/** The secrets of an inventory by name, and how they are locked. */
export interface Store {
  lock: Lock
  values: ReadonlyMap<string, Secret>
}

/** What is encrypted, as YAML. age tells nobody who its recipients are, so they are kept along. */
interface Content {
  recipients?: string[]
  secrets: Record<string, string>
}

/**
 * Reads a file of secrets; undefined where there is none.
 *
 * Errors (InputError): no key is at hand, or none that opens it; it is no age file, or a damaged one.
 *
 * @see https://age-encryption.org/v1
 */
export async function readStore(file: string, keys: Keys): Promise<Store | undefined> {
  const text = readText(file)
  if (text === undefined) return undefined
  const { Decrypter, armor } = await import('age-encryption')
  const decrypter = new Decrypter()
  let encrypted: Uint8Array
  try {
    encrypted = armor.decode(text)
  } catch (cause) {
    throw damaged(file, cause)
  }
  const locked = Buffer.from(encrypted).toString('latin1').startsWith('age-encryption.org/v1\n-> scrypt ')
  const key = locked ? await keys.passphrase(`passphrase of ${file}: `) : keys.identities(file)
  if ('value' in key) decrypter.addPassphrase(key.value.reveal())
  else for (const identity of key.values) decrypter.addIdentity(identity.reveal())
  let content: Content
  try {
    content = load(await decrypter.decrypt(encrypted, 'text')) as Content
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.startsWith('no identity matched')))
      throw damaged(file, cause)
    throw new InputError(
      locked ? `the passphrase does not open ${file}` : `no identity at hand opens ${file}`,
      { at: file, found: key.from, next: key.next },
    )
  }
  return {
    lock: 'value' in key ? { passphrase: key.value } : { recipients: content.recipients ?? [] },
    values: new Map(Object.entries(content.secrets).map(([name, value]) => [name, new Secret(value)])),
  }
}

/**
 * Writes a file of secrets, readable by its owner only; nobody sees half of it.
 *
 * Errors: InputError for a recipient that is none.
 */
export async function writeStore(file: string, { lock, values }: Store): Promise<void> {
  const { Encrypter, armor } = await import('age-encryption')
  const encrypter = new Encrypter()
  if ('passphrase' in lock) encrypter.setPassphrase(lock.passphrase.reveal())
  else for (const recipient of lock.recipients) addRecipient(encrypter, recipient)
  const content: Content = {
    ...('recipients' in lock && { recipients: [...lock.recipients] }),
    secrets: Object.fromEntries([...values].map(([name, value]) => [name, value.reveal()])),
  }
  const encrypted = await encrypter.encrypt(dump(content, { sortKeys: true }))
  replaceFile(file, armor.encode(encrypted), 0o600)
}

function addRecipient(encrypter: { addRecipient(recipient: string): void }, recipient: string): void {
  try {
    encrypter.addRecipient(recipient)
  } catch (cause) {
    throw new InputError(`${recipient} is no recipient`, {
      expected: 'age1…, as `bramble secret keygen` prints it',
      cause,
    })
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new InputError(`${file} cannot be read`, { at: file, found: String(error), cause: error })
  }
}

function damaged(file: string, cause: unknown): InputError {
  return new InputError(`${file} is no file of secrets, or a damaged one`, {
    at: file,
    expected: 'an armored age file, as `bramble secret set` makes it',
    found: cause instanceof Error ? cause.message : String(cause),
    next: 'take the last good one from your version control',
    cause,
  })
}
