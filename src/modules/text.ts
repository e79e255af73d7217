import { TaskError } from '../errors.ts'
import type { Change, Resource } from '../playbook/resource.ts'
import { sh } from '../playbook/sh.ts'
import { redact } from '../secrets/secret.ts'
import { wantedAttributes } from './attributes.ts'
import { printed } from './check.ts'
import { unified } from './diff.ts'
import { look, parseLook } from './look.ts'
import { write } from './write.ts'

/**
 * Probe and plan of a module that edits a text file: `edit` is given the text and returns what it shall be. Owner
 * and mode are kept; a symbolic link is followed. `create` says whether a missing file counts as an empty one.
 */
export function edited(
  path: string,
  edit: (text: string) => string,
  options: { create?: boolean; becomeUser?: string },
): Pick<Resource, 'probe' | 'plan' | 'writes'> {
  return {
    probe: look(path, 'edit'),
    writes: path,
    plan(seen): Change | undefined {
      const found = parseLook(printed(seen, path))
      if (found.kind === 'absent') {
        const text = edit('')
        if (text === '') return undefined
        const rights = wantedAttributes(options, '0644')
        if (options.create)
          return {
            diff: unified(path, undefined, text),
            ...write({ path, content: Buffer.from(text), ...rights }),
          }
        // Not an error of the plan: in check mode, what makes the file may not have been applied yet.
        return {
          diff: `- no file ${path}\n${unified(path, '', text)}`,
          apply: sh`echo ${`there is no file ${path} to edit; create: true would make one`} >&2; exit 1`,
        }
      }
      const before = found.rest
      if (found.kind !== 'file' || Buffer.byteLength(before) !== found.size || /[\0\uFFFD]/.test(before)) {
        throw new TaskError(`${path} is not a text file`, {
          expected: 'a file of UTF-8 text',
          found: found.kind === 'file' ? `${found.size} bytes that are not UTF-8 text` : found.kind,
          next: 'choose another path, or write the whole file with file()',
        })
      }
      const after = edit(before)
      if (after === before) return undefined
      const rights = { owner: found.uid, group: found.gid, mode: found.mode }
      return {
        diff: redact(unified(path, before, after)),
        ...write({ path, content: Buffer.from(after), ...rights, follow: true }),
      }
    },
  }
}

/** The lines of a text, without their ends. */
export function splitLines(text: string): string[] {
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

/** The text of these lines; each ends with a newline. */
export function joinLines(all: readonly string[]): string {
  return all.map((one) => `${one}\n`).join('')
}
