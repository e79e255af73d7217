import { InputError, TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { absolutePath, fileText } from './check.ts'
import { edited, joinLines, splitLines } from './text.ts'

export interface BlockOptions extends Common {
  path: string
  /** The lines between the markers. */
  block: string
  /** A line with `{mark}` in it, which becomes BEGIN and END. Default `# {mark} BRAMBLE MANAGED BLOCK`. */
  marker?: string
  /** Default `present`. */
  state?: 'present' | 'absent'
  /** Make the file if there is none. Default false: then a missing file is an error. */
  create?: boolean
}

/**
 * Some lines of a text file between two marker lines, as Ansible's blockinfile has it: replaced where the markers
 * are, else appended. The file's owner and mode stay as they are.
 *
 * Errors: a marker without `{mark}`, or one that the block itself contains; one marker in the file without the
 * other; the file is missing (without `create`) or is not UTF-8 text.
 *
 * @example block({ path: '/etc/hosts', block: '192.168.188.11 rpi1\n192.168.188.12 rpi2', marker: '# {mark} bramble' })
 */
export function block(options: BlockOptions): Resource {
  const path = absolutePath(options.path)
  const { state = 'present' } = options
  const marker = fileText(options.marker ?? '# {mark} BRAMBLE MANAGED BLOCK')
  const begin = marker.replace('{mark}', 'BEGIN')
  const end = marker.replace('{mark}', 'END')
  const inner = splitLines(fileText(options.block))
  if (!marker.includes('{mark}') || marker.includes('\n') || inner.includes(begin) || inner.includes(end)) {
    throw new InputError('this marker cannot mark the block', {
      expected: 'one line with {mark} in it, which is not in the block',
      found: JSON.stringify(marker),
    })
  }
  const wanted = state === 'present' ? [begin, ...inner, end] : []
  const edit = (text: string): string => {
    const all = splitLines(text)
    const from = all.indexOf(begin)
    const to = all.indexOf(end, Math.max(from, 0))
    if (from < 0 && to < 0) return wanted.length === 0 ? text : joinLines([...all, ...wanted])
    if (from < 0 || to < 0) throw half(path, from < 0 ? begin : end)
    const same = all.slice(from, to + 1).join('\n') === wanted.join('\n')
    return same ? text : joinLines(all.toSpliced(from, to - from + 1, ...wanted))
  }
  const title = state === 'absent' ? `no block ${begin} in ${path}` : `block in ${path}`
  return resource({ title, ...edited(path, edit, options) }, options)
}

function half(path: string, missing: string): TaskError {
  return new TaskError(`one marker of the block in ${path} is gone`, {
    expected: 'both markers, or none',
    found: `no line ${missing}`,
    next: 'put it back, or remove the other one, by hand',
  })
}
