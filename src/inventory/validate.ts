import type { z } from 'zod'
import { InputError } from '../errors.ts'
import type { ErrorDetails } from '../errors.ts'
import { isMapping, kindOf } from './kinds.ts'
import { nearest } from './nearest.ts'
import { allSchema, clusterShape, hostSchema, hostShape, unsupported } from './schema.ts'
import type { Layer } from './variables.ts'
import type { Path } from './yaml.ts'

type Problem = ErrorDetails & { message: string }

/**
 * Checks variables as they were written, before any are merged.
 *
 * @throws InputError that tells the first problem in full and where the others are
 */
export function checkLayers(layers: readonly Layer[]): void {
  const problems = layers.flatMap(problemsOf)
  const [first, ...others] = problems
  if (!first) return
  const { message, ...details } = first
  const more = others.slice(0, 10).map((other) => `also ${other.at ?? ''}: ${other.message}`)
  const next = [details.next, ...more].filter((line) => line !== undefined).join('\n')
  throw new InputError(message, { ...details, ...(next && { next }) })
}

function problemsOf(layer: Layer): Problem[] {
  const schema = layer.scope === 'all' ? allSchema : hostSchema
  const result = schema.safeParse(layer.variables)
  if (result.success) return []
  return result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknown(layer, [...pathOf(issue), key]))
      : [invalid(layer, issue)],
  )
}

function pathOf(issue: z.core.$ZodIssue): (string | number)[] {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
}

function unknown(layer: Layer, path: Path): Problem {
  const name = path.join('.')
  const key = String(path.at(-1))
  const at = layer.at(path)
  const known = namesAt(layer, path.slice(0, -1))
  const near = nearest(key, known)
  if (path.length > 1) {
    const next = near === undefined ? `known: ${known.join(', ')}` : `did you mean ${near}?`
    return { message: `unknown setting \`${name}\``, at, next }
  }
  if (Object.hasOwn(clusterShape, key)) {
    return { message: `\`${key}\` is set for the whole cluster`, at, next: 'move it to group_vars/all.yml' }
  }
  if (Object.hasOwn(unsupported, key)) {
    return { message: `\`${key}\` is not supported`, at, next: unsupported[key] ?? '' }
  }
  if (near !== undefined) return { message: `unknown variable \`${key}\``, at, next: `did you mean ${near}?` }
  if (key.startsWith('ansible_')) {
    const taken = Object.keys(hostShape).filter((other) => other.startsWith('ansible_'))
    return { message: `\`${key}\` is not supported`, at, next: `of Ansible's: ${taken.join(', ')}` }
  }
  return { message: `unknown variable \`${key}\``, at, next: 'variables of your own go under `extra:`' }
}

function namesAt(layer: Layer, path: Path): string[] {
  const [group] = path
  if (group === undefined) return Object.keys(layer.scope === 'all' ? allSchema.shape : hostShape)
  const schema = settingsNames.get(String(group))
  return schema ?? []
}

const settingsNames = new Map(
  Object.entries(clusterShape).map(([name, schema]) => {
    const inner = schema.unwrap()
    return [name, Object.keys('shape' in inner ? inner.shape : inner.in.shape)]
  }),
)

function invalid(layer: Layer, issue: z.core.$ZodIssue): Problem {
  const path = pathOf(issue)
  const value = path.reduce<unknown>(
    (inner, step) => (isMapping(inner) || Array.isArray(inner) ? Reflect.get(inner, step) : undefined),
    layer.variables,
  )
  const hint = hintFor(value, issue.message)
  return {
    message: `\`${path.join('.')}\` is not valid`,
    at: layer.at(path),
    expected: issue.message,
    found: isSecret(path) ? kindOf(value) : shown(value),
    ...(hint !== undefined && { next: hint }),
  }
}

function hintFor(value: unknown, expected: string): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('{{')) return 'Jinja templates are not evaluated: write the value itself'
    if (/^(yes|no|on|off)$/i.test(value)) return 'in YAML 1.2 only true and false are truth values'
    if (/^[\d.]+$/.test(value) && expected.includes('number')) return 'leave out the quotes'
  }
  const scalar = typeof value === 'number' || typeof value === 'boolean'
  return scalar && !/number|true/.test(expected) ? `write it in quotes to make it text` : undefined
}

function isSecret(path: Path): boolean {
  return /pass(word)?$/.test(String(path[path.length - 1]))
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? kindOf(value) : (JSON.stringify(value) ?? 'nothing')
}
