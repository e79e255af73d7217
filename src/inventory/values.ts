import { isIPv4, isIPv6 } from 'node:net'
import * as z from 'zod'
import { Secret } from '../secrets/secret.ts'

/*
 * The kinds of value that settings are made of. Their error text is what was expected, in words a reader knows.
 */

export function group<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  return z.strictObject(shape, { error: groupExpected }).describe(description)
}

function groupExpected(issue: { code?: string }): string | undefined {
  return issue.code === 'invalid_type' ? 'settings, one `name: value` a line' : undefined
}

/** Text on one line. Ansible's `{{ … }}` is refused, as nothing would fill it in. */
export function text(expected: string) {
  return matching(/^(?!.*\{\{)[^\n\0]+$/, expected)
}

export function matching(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected })
}

export function integer(least: number, most: number) {
  return number(least, most, 'a whole number').int({ error: `a whole number from ${least} to ${most}` })
}

export function number(least: number, most: number, kind = 'a number') {
  const error = `${kind} from ${least} to ${most}`
  return z.number({ error }).min(least, { error }).max(most, { error })
}

export function oneOf<const Choice extends string>(choices: readonly Choice[], why = '') {
  return z.enum(choices, { error: `${choices.join(' or ')}${why}` })
}

export const boolean = z.boolean({ error: 'true or false' })

export const port = integer(1, 65535)

export const ipv4 = z.ipv4({ error: 'an IPv4 address such as 192.168.188.11' })

export const cidr = z.cidrv4({ error: 'an IPv4 network such as 10.200.0.0/16' })

const absolute = 'an absolute path without spaces, not /'
export const absolutePath = z
  .string({ error: absolute })
  .regex(/^(\/[^/\s]+)+$/, { error: absolute })
  .refine((path) => !path.split('/').includes('..'), { error: 'an absolute path without ..' })

export const interfaceName = matching(/^[^\s/:]{1,15}$/, 'a network interface such as eth0')

export const image = matching(
  /^[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?$/,
  'an image reference such as nginx:1.28-alpine',
)

const addressExpected = 'a host name or an IP address'
export const address = z
  .string({ error: addressExpected })
  .refine((name) => isHostname(name) || isIPv6(name), { error: addressExpected })

export const secret = z
  .custom<string | Secret>(
    (value) => value instanceof Secret || (typeof value === 'string' && value !== ''),
    {
      error: 'text, in quotes where it looks like a number, or !secret NAME',
    },
  )
  .meta({ type: 'string', minLength: 1 })
  .transform((value) => (value instanceof Secret ? value : new Secret(value)))

/** A host name by RFC 1123, or an IPv4 address. */
export function isHostname(name: string): boolean {
  if (isIPv4(name)) return true
  const labels = name.split('.')
  return name.length <= 253 && !/^[\d.]+$/.test(name) && labels.every(isLabel)
}

function isLabel(label: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)
}
