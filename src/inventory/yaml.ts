import {
  CORE_SCHEMA,
  EVENT_ID,
  YAMLException,
  defineScalarTag,
  getScalarValue,
  load,
  mergeTag,
  parseEvents,
} from 'js-yaml'
import type { Event } from 'js-yaml'
import { InputError } from '../errors.ts'

export type Path = readonly (string | number)[]

/** A parsed YAML file that still knows where each of its keys was written. */
export interface Source {
  readonly file: string
  readonly value: unknown
  /** `file:line:column` of the key or list item at this path, or of the closest one around it. */
  at(path: Path): string
}

/** `!secret NAME`: stands for a secret of the inventory until all is read. */
export class SecretReference {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const secretTag = defineScalarTag('!secret', {
  resolve: (name) => new SecretReference(name.trim()),
  identify: (value) => value instanceof SecretReference,
})

const schema = CORE_SCHEMA.withTags(mergeTag, secretTag)

/**
 * Parses one YAML 1.2 document (`yes` is text, `0644` is the number 644; `<<` merges).
 *
 * @param empty what a file without any content means; without it such a file is an error
 * @throws InputError with `file:line:column` for malformed YAML, duplicate keys and anchors that hold themselves
 */
export function parseYaml(file: string, text: string, empty?: unknown): Source {
  if (!/^(?![^\S\r\n]*(?:#|$)|(?:---|\.\.\.)[^\S\r\n]*(?:#|$))/m.test(text)) {
    if (empty !== undefined) return { file, value: empty, at: () => `${file}:1:1` }
    throw new InputError(`${file} is empty`, { at: `${file}:1:1`, expected: 'YAML', found: 'no content' })
  }
  try {
    const value = load(text, { schema, filename: file })
    const offsets = keyOffsets(text, parseEvents(text, { filename: file }))
    const lines = lineStarts(text)
    const source = { file, value, at: (path: Path) => locate(file, lines, offsets, path) }
    refuseOddities(source, value, [], [], new Set())
    return source
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    throw malformed(file, text, error)
  }
}

function malformed(file: string, text: string, error: YAMLException): InputError {
  const line = error.mark?.line ?? 0
  const column = error.mark?.column ?? 0
  const found = withoutPassword(text.split(/\r\n|\r|\n/)[line]?.trim() ?? '')
  return new InputError(`${file} is not valid YAML: ${withoutQuotes(error.reason)}`, {
    at: `${file}:${line + 1}:${column + 1}`,
    ...(found && { found }),
    ...advice(error.reason, text),
  })
}

/** What the parser quotes may be a password that was meant to stand in quotes. */
export function withoutQuotes(reason: string): string {
  return reason.replace(/!<(?!!vault>).*>|".*"/s, '…')
}

// The parser's own error is no cause either: it quotes lines around this one.
function withoutPassword(line: string): string {
  return line.replace(/(pass(?:word)?["']?\s*:\s*)\S.*$/, '$1***')
}

function advice(reason: string, text: string): { next?: string } {
  if (reason.includes('!vault') || text.startsWith('$ANSIBLE_VAULT')) {
    return {
      next: 'Ansible Vault is not read: keep the value with `bramble secret set NAME`, and write !secret NAME here',
    }
  }
  if (reason.includes('tab')) return { next: 'indent with spaces' }
  if (/^\[[\w:-]+\]\s*$/m.test(text)) {
    return { next: 'an INI inventory is not read: convert it with `ansible-inventory --list --yaml`' }
  }
  return {}
}

/** Offsets of all keys and list items by JSON path, from the parser's flat list of events. */
function keyOffsets(text: string, events: readonly Event[]): Map<string, number> {
  const offsets = new Map<string, number>()
  let next = 1
  const node = (path: Path): void => {
    const event = events[next++]
    if (event?.type === EVENT_ID.MAPPING) mapping(path)
    else if (event?.type === EVENT_ID.SEQUENCE) sequence(path)
  }
  const mapping = (path: Path): void => {
    for (let key = events[next]; key && key.type !== EVENT_ID.POP; key = events[next]) {
      next++
      const name = key.type === EVENT_ID.SCALAR && key.valueStart >= 0 ? getScalarValue(text, key) : ''
      offsets.set(JSON.stringify([...path, name]), startOf(key))
      node([...path, name])
    }
    next++
  }
  const sequence = (path: Path): void => {
    for (let index = 0; events[next] && events[next]?.type !== EVENT_ID.POP; index++) {
      const item = events[next]
      if (item) offsets.set(JSON.stringify([...path, index]), startOf(item))
      node([...path, index])
    }
    next++
  }
  node([])
  return offsets
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : -1
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), (match) => match.index + match[0].length)]
}

function locate(file: string, lines: readonly number[], offsets: Map<string, number>, path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const offset = offsets.get(JSON.stringify(path.slice(0, length))) ?? -1
    if (offset < 0) continue
    let [low, high] = [0, lines.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((lines[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return `${file}:${low + 1}:${offset - (lines[low] ?? 0) + 1}`
  }
  return `${file}:1:1`
}

/** An anchor that holds itself would make everything that walks the value run for ever; `__proto__` would be lost. */
function refuseOddities(
  source: Source,
  value: unknown,
  path: Path,
  around: readonly unknown[],
  done: Set<unknown>,
): void {
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
    throw new InputError(`${source.file} holds half a character`, { at: source.at(path) })
  }
  if (typeof value !== 'object' || value === null || done.has(value)) return
  if (around.includes(value)) {
    throw new InputError(`an anchor in ${source.file} holds itself`, { at: source.at(path) })
  }
  for (const [key, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(key) : key
    if (step === '__proto__') {
      throw new InputError('`__proto__` cannot be the name of anything', { at: source.at([...path, step]) })
    }
    refuseOddities(source, inner, [...path, step], [...around, value], done)
  }
  done.add(value)
}
