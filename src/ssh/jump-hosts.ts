import { InputError } from '../errors.ts'

/** A host on the way to others, as ProxyJump names it. */
export interface JumpHost {
  host: string
  user?: string
  port?: number
}

/**
 * The hosts of a ProxyJump, in the order they are passed: `[user@]host[:port]` or `ssh://[user@]host[:port]`, with
 * commas between.
 *
 * @throws InputError for what is none
 * @example parseJumps('pi@gate.example.org:2222,inner')
 */
export function parseJumps(text: string): JumpHost[] {
  return text.split(',').map((one) => {
    const address = one
      .trim()
      .replace(/^ssh:\/\//, '')
      .replace(/\/$/, '')
    const [, user, bracketed, plain, port] =
      /^(?:(.+)@)?(?:\[([^\]]+)\]|([^\s:@[\]]+))(?::(\d+))?$/.exec(address) ?? []
    const host = bracketed ?? plain
    if (host === undefined || Number(port ?? 22) < 1 || Number(port ?? 22) > 65535) {
      throw new InputError('a jump host is not valid', {
        expected: '[user@]host[:port]',
        found: one.trim() || 'nothing',
      })
    }
    return { host, ...(user && { user }), ...(port && { port: Number(port) }) }
  })
}

/** The same, written again. */
export function jumpText({ host, user, port }: JumpHost): string {
  return `${user ? `${user}@` : ''}${host.includes(':') ? `[${host}]` : host}${port ? `:${port}` : ''}`
}
