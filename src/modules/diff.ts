import { createTwoFilesPatch } from 'diff'

/**
 * A unified diff of a file's text; `undefined` stands for a file that does not exist.
 *
 * @example unified('/etc/motd', 'old\n', 'new\n').includes('-old\n+new') === true
 */
export function unified(path: string, before: string | undefined, after: string): string {
  const from = before === undefined ? '/dev/null' : path
  const patch = createTwoFilesPatch(from, path, before ?? '', after, '', '', { context: 3 })
  return patch.slice(patch.indexOf('--- ')).trimEnd()
}

/**
 * What is and what shall be, one line each, for what is not text.
 *
 * @example replaced('mode 0600', 'mode 0644') === '- mode 0600\n+ mode 0644'
 */
export function replaced(found: string, wanted: string): string {
  return `- ${found}\n+ ${wanted}`
}
