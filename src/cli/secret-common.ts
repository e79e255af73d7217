import { relative } from 'node:path'
import { InputError } from '../errors.ts'
import { inventoryFile, secretsFile } from '../inventory/index.ts'
import { givenPassphrase, keysOf, ownRecipients } from '../secrets/keys.ts'
import { Secret } from '../secrets/secret.ts'
import { readStore, type Lock, type Store } from '../secrets/store.ts'
import { askPassword, askTwice } from './terminal.ts'

/** What opens the secrets: keys of the user's own, or a passphrase, which is asked for in a terminal. */
export function keys() {
  return keysOf(process.env, process.stdin.isTTY ? (question) => askPassword(question) : undefined)
}

/** The file that an inventory's secrets are in, as seen from here. */
export async function fileOf(inventory: string): Promise<string> {
  return relative(process.cwd(), secretsFile(await inventoryFile(inventory)))
}

/** The secrets of an inventory. Errors: InputError where it has none, or they cannot be opened. */
export async function opened(inventory: string): Promise<Store> {
  const file = await fileOf(inventory)
  const store = await readStore(file, keys())
  if (store) return store
  throw new InputError(`there is no ${file}`, { next: 'bramble secret set NAME makes it' })
}

/** One of them. Errors: InputError, with the names that there are. */
export function valueOf({ values }: Store, name: string, file: string): Secret {
  const value = values.get(name)
  if (value) return value
  const names = [...values.keys()].toSorted().join(', ')
  throw new InputError(`there is no secret \`${name}\``, {
    at: file,
    expected: names ? `one of ${names}` : 'none is kept',
  })
}

/** For an inventory's first secret: the user's own identities, else a passphrase. */
export async function newLock(): Promise<Lock> {
  const given = givenPassphrase(process.env, 'BRAMBLE_SECRET_PASSPHRASE')
  if (given) return { passphrase: given.value }
  const recipients = await ownRecipients(process.env)
  return recipients.length > 0 ? { recipients } : { passphrase: await newPassphrase() }
}

/** A passphrase to lock secrets with: given by the environment, or typed twice. */
export async function newPassphrase(): Promise<Secret> {
  const given = givenPassphrase(process.env, 'BRAMBLE_SECRET_NEW_PASSPHRASE')
  if (given) return given.value
  if (process.stdin.isTTY) return askTwice('new passphrase')
  throw new InputError('there is no key to lock the secrets with, and no terminal to ask for one', {
    next: 'Make one with `bramble secret keygen`, or set BRAMBLE_SECRET_NEW_PASSPHRASE (or …_FILE to the name of a file).',
  })
}

/** A value of one line loses the line feed that `echo` ends it with; a key or certificate keeps it. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  const bytes = Buffer.concat(chunks)
  const text = bytes.toString('utf8')
  if (!bytes.equals(Buffer.from(text)) || text.includes('\0')) {
    throw new InputError('the value is no text', {
      expected: 'UTF-8 without NUL',
      next: 'encode it: base64 FILE | bramble secret set NAME',
    })
  }
  return text.replace(/^([^\n]*?)\r?\n$/, '$1')
}

/** A value that is worth keeping. Errors: InputError for an empty one. */
export function checked(value: Secret): Secret {
  if (value.reveal() === '') throw new InputError('the value is empty', { expected: 'text' })
  return value
}
