import { inspect } from 'node:util'
import { createContext, Script } from 'node:vm'
import ejs from 'ejs'
import { BrambleError, InputError } from '../errors.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import { Secret } from '../secrets/secret.ts'
import { file, type FileAttributes } from './file.ts'

export interface TemplateSource {
  /** What errors call it: `templates/haproxy.cfg.ejs`. */
  name: string
  text: string
}

export type Variables = Readonly<Record<string, unknown>>

export interface TemplateOptions extends FileAttributes, Common {
  path: string
  source: TemplateSource
  variables: Variables
}

/**
 * A file made from an EJS template: `file()` with what `renderTemplate()` returns. If a secret went into it, no
 * diff of it is shown.
 *
 * @example
 * template({
 *   path: '/etc/hosts',
 *   source: { name: 'templates/hosts.ejs', text: '127.0.0.1 localhost <%= name %>\n' },
 *   variables: { name: 'rpi1' },
 * })
 */
export function template({ source, variables, ...options }: TemplateOptions): Resource {
  const { text, secret } = render(source, variables)
  return file({
    title: `template ${options.path}`,
    ...options,
    content: secret ? new Secret(text, { search: false }) : text,
  })
}

/**
 * The text of an EJS template. Nothing is escaped: `<%= %>` and `<%- %>` are the same. A `Secret` is revealed.
 *
 * Errors (InputError with template and line): a variable that is not given, a value that is no text, number or
 * boolean, JavaScript that is not valid or takes longer than 5 seconds; includes, because a template reads no other
 * file.
 *
 * @see https://ejs.co/#docs
 * @example renderTemplate({ name: 'motd', text: 'I am <%= name %>\n' }, { name: 'rpi1' }) === 'I am rpi1\n'
 */
export function renderTemplate(source: TemplateSource, variables: Variables): string {
  return render(source, variables).text
}

function render(source: TemplateSource, variables: Variables): { text: string; secret: boolean } {
  const secrets: string[] = []
  const plain = (value: Secret): string => {
    secrets.push(value.reveal())
    return value.reveal()
  }
  const locals = revealed(variables, plain)
  try {
    // One kind of output tag, so that each value passes through `escape`.
    const fill = ejs.compile(source.text.replaceAll('<%-', '<%='), {
      // EJS puts it into a comment of the code that it makes, which these two characters would end.
      filename: source.name.replaceAll(/[\u2028\u2029]/g, ' '),
      strict: true,
      destructuredLocals: Object.keys(variables).filter(declarable),
      escape: (value: unknown) => printable(value instanceof Secret ? plain(value) : value),
      includer: () => {
        throw new Error('a template cannot include another file')
      },
    })
    const text = atMost(5, () => fill(isVariables(locals) ? locals : {}))
    if (typeof text !== 'string') throw new Error('a template cannot `return`')
    return { text, secret: secrets.some((secret) => secret !== '' && text.includes(secret)) }
  } catch (cause) {
    throw templateError(source, variables, cause)
  }
}

const context = createContext({})
const call = new Script('work()')

/** A template with an endless loop would leave nobody to tell of it. Node.js measures what a script does, and calls. */
function atMost(seconds: number, work: () => unknown): unknown {
  try {
    context['work'] = work
    return call.runInContext(context, { timeout: seconds * 1000 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new BrambleError(`it is not done after ${seconds} s`, {
      expected: 'a loop that ends',
      found: 'it was still at work',
      next: 'see which loop of the template never ends',
    })
  }
}

/** Secrets inside are made plain beforehand: `'user:' + password` in a template would yield `user:***` otherwise. */
function revealed(value: unknown, plain: (secret: Secret) => string): unknown {
  if (value instanceof Secret) return plain(value)
  if (Array.isArray(value)) return value.map((item) => revealed(item, plain))
  if (!isVariables(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item, plain)]))
}

function isVariables(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function printable(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  const kind =
    value === undefined || value === null
      ? String(value)
      : Array.isArray(value)
        ? 'a list'
        : `an ${typeof value}`
  throw new BrambleError(`the value is ${kind}`, {
    expected: 'a text, a number or a boolean',
    found: kind,
    next: Array.isArray(value)
      ? 'use .join(…) or a loop'
      : 'check the spelling, or give the variable a value',
  })
}

function templateError({ name }: TemplateSource, variables: Variables, cause: unknown): InputError {
  const { line, message } = place(name, cause instanceof Error ? cause.message : inspect(cause))
  const at = line === undefined ? name : `${name}:${line}`
  const missing = /^(\S+) is not defined$/.exec(message)?.[1]
  if (missing !== undefined) {
    return new InputError(`template ${name}: there is no variable ${missing}`, {
      at,
      expected: `one of ${Object.keys(variables).join(', ') || '(none given)'}`,
      found: missing,
      next: `pass ${missing} in the template's variables, or check its spelling`,
      cause,
    })
  }
  const details = cause instanceof BrambleError ? cause.details : { expected: 'valid EJS', found: message }
  return new InputError(`template ${name}: ${message}`, { next: 'mend the template', ...details, at, cause })
}

/** EJS puts `name:line`, the lines around it and an empty line before the message of an error at run time. */
function place(name: string, message: string): { line?: string; message: string } {
  const [, line, text] = message.startsWith(`${name}:`)
    ? (/^(\d+)\n[^]*\n\n([^]*)$/.exec(message.slice(name.length + 1)) ?? [])
    : []
  if (line !== undefined && text !== undefined) return { line, message: text }
  return { message: message.split('\n')[0] ?? '' }
}

/** EJS declares these as variables; others can be had by `locals['a-name']`. */
function declarable(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name) && !RESERVED.has(name)
}

const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends ' +
    'false finally for function if implements import in instanceof interface let new null package private protected ' +
    'public return static super switch this throw true try typeof var void while with yield ' +
    'escapeFn include locals rethrow'
  ).split(' '),
)
