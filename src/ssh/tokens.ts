import { homedir, hostname, userInfo } from 'node:os'
import { InputError } from '../errors.ts'

/** What the tokens stand for, by their letters. */
export type Tokens = Readonly<Record<string, string>>

/**
 * Fills in the `%` tokens of ssh_config(5).
 *
 * @throws InputError for one that has no value here
 */
export function expandTokens(text: string, tokens: Tokens): string {
  return text.replaceAll(/%(.?)/g, (_, token: string) => {
    const value = token === '%' ? '%' : tokens[token]
    if (value !== undefined) return value
    const known = ['%', ...Object.keys(tokens)].map((one) => `%${one}`)
    throw new InputError(`%${token} means nothing here`, {
      expected: known.join(' '),
      found: text,
    })
  })
}

/** A path of ssh_config(5): a leading `~`, `${NAME}` of the environment, tokens. */
export function expandFile(path: string, tokens: Tokens): string {
  const home = path.replace(/^~(?=\/|$)/, homedir())
  const filled = home.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = process.env[name]
    if (value !== undefined) return value
    throw new InputError(`\${${name}} is not in the environment`, { found: path })
  })
  return expandTokens(filled, tokens)
}

let local: Tokens | undefined

/** The tokens that tell of this computer and its user. */
export function localTokens(): Tokens {
  local ??= tokensHere()
  return local
}

function tokensHere(): Tokens {
  const { username, uid } = userInfo()
  const name = hostname()
  return { d: homedir(), i: String(uid), u: username, l: name, L: name.replace(/\..*/, '') }
}

/** Who is logged in here. */
export function localUser(): string {
  return localTokens()['u'] ?? ''
}
