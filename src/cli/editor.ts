import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { InputError } from '../errors.ts'
import { withoutQuotes } from '../inventory/yaml.ts'
import { Secret } from '../secrets/secret.ts'

type Values = ReadonlyMap<string, Secret>

/** Ctrl-C in the editor is the editor's. */
const ignore = () => undefined

const intro = '# NAME: value, one a line. Saved when you leave the editor.\n'

/**
 * Shows values as YAML in the user's editor; undefined when they come back unchanged. The file is readable by its
 * owner only, in memory where the system has a place for that, and is removed whatever happens. What is not right is
 * shown again, with what is wrong above it; back unchanged, it is given up.
 *
 * Errors: InputError when the editor cannot be started or fails, or wrong values are given up.
 */
export async function editSecrets(values: Values): Promise<Values | undefined> {
  const directory = mkdtempSync(join(memory(), 'bramble-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  const leave = (signal: NodeJS.Signals) => {
    remove()
    process.exit(signal === 'SIGTERM' ? 143 : 129)
  }
  process.on('SIGINT', ignore).on('SIGTERM', leave).on('SIGHUP', leave).on('exit', remove)
  try {
    chmodSync(directory, 0o700)
    return await editUntilRight(join(directory, 'secrets.yml'), values)
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', leave).off('SIGHUP', leave).off('exit', remove)
    remove()
  }
}

async function editUntilRight(file: string, values: Values): Promise<Values | undefined> {
  const plain = Object.fromEntries([...values].map(([name, value]) => [name, value.reveal()]))
  const before = values.size > 0 ? dump(plain) : ''
  let text = intro + before
  for (;;) {
    writeFileSync(file, text, { mode: 0o600 })
    await openEditor(file)
    const edited = readFileSync(file, 'utf8')
    if (edited === intro + before) return undefined
    try {
      return parse(edited)
    } catch (error) {
      if (!(error instanceof InputError) || edited === text) throw error
      text = `# Not saved: ${error.describe().replaceAll('\n', '\n# ')}\n${edited.replace(/^# Not saved: .*\n(# {2}.*\n)*/, '')}`
    }
  }
}

function parse(text: string): Values {
  let content: unknown
  try {
    content = text.replaceAll(/^#.*$/gm, '').trim() === '' ? {} : load(text)
  } catch (cause) {
    // The parser's own message quotes lines, and with them values.
    const { reason, mark } = cause as { reason?: string; mark?: { line: number } }
    throw new InputError(`this is no YAML: ${withoutQuotes(reason ?? 'malformed')}`, {
      at: `line ${(mark?.line ?? 0) + 1}`,
    })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new InputError('this is no list of secrets', { expected: '`NAME: value`, one a line' })
  }
  return new Map(
    Object.entries(content).map(([name, value]) => {
      if (typeof value === 'string' && value !== '') return [name, new Secret(value)]
      throw new InputError(`\`${name}\` is no text`, {
        expected: 'text, in quotes where it looks like a number',
      })
    }),
  )
}

async function openEditor(file: string): Promise<void> {
  const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi'
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0)
    throw new InputError(`the editor ended with code ${code}: nothing was saved`, { found: editor })
}

/** A folder in memory, where the system has one: what is there never reaches a disk. */
function memory(): string {
  const tmpfs = 0x01021994
  try {
    return statfsSync('/dev/shm').type === tmpfs ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}
