import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { Secret } from './secret.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Asks at the terminal, without showing what is typed. */
export type Ask = (question: string) => Promise<Secret>

/** A key, and what an error says when it does not fit. */
interface Found {
  from: string
  next: string
}

/** Where the keys to a file of secrets come from; looked for only when a file asks for them. */
export interface Keys {
  passphrase(question: string): Promise<Found & { value: Secret }>
  identities(file: string): Found & { values: Secret[] }
}

/**
 * The user's keys: BRAMBLE_SECRET_PASSPHRASE, the first line of the file BRAMBLE_SECRET_PASSPHRASE_FILE, or what
 * `ask` is told; and the identities in the file BRAMBLE_AGE_IDENTITY, else `~/.config/bramble/age-identity`.
 */
export function keysOf(env: Environment, ask?: Ask): Keys {
  return {
    async passphrase(question) {
      const given = givenPassphrase(env, 'BRAMBLE_SECRET_PASSPHRASE')
      if (given) return given
      if (!ask) throw noPassphrase()
      return { value: await ask(question), from: 'typed', next: 'try again' }
    },
    identities: (file) => identities(env, file),
  }
}

/** A passphrase in this variable, or in the file that the variable with `_FILE` at its end names. */
export function givenPassphrase(env: Environment, name: string): (Found & { value: Secret }) | undefined {
  const path = env[`${name}_FILE`]
  const value = env[name] || (path && readLine(path, `${name}_FILE`))
  if (!value) return undefined
  const from = env[name] ? name : `${name}_FILE, ${path}`
  return { value: new Secret(value), from: `the one from ${from}`, next: `mend or unset ${name}` }
}

/** The file that identities are read from, unless the environment names another. */
export function identityFile(env: Environment): string {
  const config = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? homedir(), '.config')
  return env['BRAMBLE_AGE_IDENTITY'] || join(config, 'bramble/age-identity')
}

/** What the public halves of the identities at hand are; none without an identity file. */
export async function ownRecipients(env: Environment): Promise<string[]> {
  const file = identityFile(env)
  if (!existsSync(file)) return []
  const { identityToRecipient } = await import('age-encryption')
  return Promise.all(readIdentities(file).map((identity) => identityToRecipient(identity.reveal())))
}

function identities(env: Environment, file: string): Found & { values: Secret[] } {
  const path = identityFile(env)
  if (!existsSync(path)) {
    throw new InputError(`${file} is locked, and there is no key to it`, {
      at: file,
      expected: `an age identity in ${path}`,
      next: 'Name another file in BRAMBLE_AGE_IDENTITY; or make an identity with `bramble secret keygen`, and have somebody who can open the file add it: bramble secret rekey -r …',
    })
  }
  return {
    values: readIdentities(path),
    from: `the identities in ${path}`,
    next: 'Name another file in BRAMBLE_AGE_IDENTITY, or have somebody who can open it add you: bramble secret rekey -r …',
  }
}

function readIdentities(path: string): Secret[] {
  const lines = readText(path, 'the age identity').split(/\r?\n/)
  const found = lines.map((line) => line.trim()).filter((line) => /^AGE-SECRET-KEY-[0-9A-Z-]+$/.test(line))
  if (found.length > 0) return found.map((line) => new Secret(line))
  throw new InputError(`${path} holds no age identity`, {
    at: path,
    expected: 'a line AGE-SECRET-KEY-1…, as `bramble secret keygen` or age-keygen writes it',
  })
}

function readLine(path: string, name: string): string {
  const [line = ''] = readText(path, `the file that ${name} names`).split(/\r?\n/)
  if (line === '')
    throw new InputError(`${path} is empty`, { at: path, expected: 'a passphrase in its first line' })
  return line
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new InputError(`${what} cannot be read`, { at: path, found: String(cause), cause })
  }
}

function noPassphrase(): InputError {
  return new InputError('the secrets are locked with a passphrase, and there is no terminal to ask for it', {
    next: 'Set BRAMBLE_SECRET_PASSPHRASE, or BRAMBLE_SECRET_PASSPHRASE_FILE to the name of a file that holds it.',
  })
}
