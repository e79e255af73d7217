import { Secret } from '../secrets/secret.ts'
import { SecretReference } from './yaml.ts'

/** What kind of value this is, in words for an error. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isSecret(value)) return 'a secret'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? 'text' : `a ${typeof value === 'number' ? 'number' : 'truth value'}`
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)
}

function isSecret(value: unknown): boolean {
  return value instanceof Secret || value instanceof SecretReference
}
