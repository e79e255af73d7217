import * as fc from 'fast-check'
import { absent, block, command, directory, file, line, link, template } from '../../../src/modules/index.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { ME } from '../modules/local.ts'
import { fileName, lineText, text } from './texts.ts'

/** One task of a play: what stands at its path before, what it is, and what has to stand there after it. */
export interface Task {
  kind: string
  name: string
  before: Before
  make: (path: string) => Resource
  after: (before: Buffer | undefined) => After
}

export type Before = { file: Buffer } | { link: string } | 'directory' | 'nothing'
export type After = { file: Buffer } | { link: string } | 'directory' | 'nothing'

const utf8 = text.map((one) => Buffer.from(one))
const bytes = fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one))
/** Larger than what travels in a script. */
const large = fc
  .tuple(
    fc.oneof(utf8, bytes),
    fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 65_530, max: 65_545 }) }, fc.constant(1_000_000)),
    text,
  )
  .map(([piece, size, end]) =>
    Buffer.concat([Buffer.alloc(size, piece.length > 0 ? piece : 'x'), Buffer.from(end)]),
  )
const content = fc.oneof(
  { weight: 6, arbitrary: utf8 },
  { weight: 3, arbitrary: bytes },
  { weight: 1, arbitrary: large },
)
const textFile = fc.array(lineText, { maxLength: 5 }).map((all) => all.join('\n'))
/** Text that an edit can keep: U+FFFD may stand for bytes that are none. */
const editable = textFile.map((one) => Buffer.from(one.replaceAll('\uFFFD', '')))

const nothing = fc.constant<Before>('nothing')
const aFile = (of: fc.Arbitrary<Buffer>) => of.map((one): Before => ({ file: one }))
const aLink = text
  .filter((one) => one !== '' && Buffer.byteLength(one) < 1000)
  .map((one): Before => ({ link: one }))
const aDirectory = fc.constant<Before>('directory')

/** Tasks of each kind that writes something by a name, with any name and any content. */
export const kinds = {
  file: fc
    .record({
      name: fileName,
      before: fc.oneof(nothing, aFile(content), aLink),
      content,
      mode: fc.constantFrom('0644', '0600', '4755'),
    })
    .map(({ name, before, content, mode }): Task => ({
      kind: 'file',
      name,
      before,
      make: (path) => file({ path, content, mode, ...ME }),
      after: () => ({ file: content }),
    })),
  'file of text': fc
    .record({ name: fileName, before: fc.oneof(nothing, aFile(utf8)), content: text })
    .map(({ name, before, content }): Task => ({
      kind: 'file of text',
      name,
      before,
      make: (path) => file({ path, content, ...ME }),
      after: () => ({ file: Buffer.from(content) }),
    })),
  template: fc
    .record({ name: fileName, before: nothing, value: text, around: text })
    .map(({ name, before, value, around }): Task => ({
      kind: 'template',
      name,
      before,
      make: (path) =>
        template({
          path,
          source: { name, text: `${around.replaceAll('<%', '<%%').replaceAll('%>', '%%>')}|<%= value %>` },
          variables: { value },
          ...ME,
        }),
      after: () => ({ file: Buffer.from(`${around}|${value}`) }),
    })),
  line: fc
    .record({
      name: fileName,
      before: aFile(editable),
      one: lineText.map((one) => one.replaceAll('\uFFFD', '')),
    })
    .map(({ name, before, one }): Task => ({
      kind: 'line',
      name,
      before,
      make: (path) => line({ path, line: one }),
      after: (was = Buffer.alloc(0)) => ({
        file: withLines(was, (all) => (all.includes(one) ? all : [...all, one])),
      }),
    })),
  'no line': fc
    .record({ name: fileName, before: aFile(editable), at: fc.nat(4) })
    .map(({ name, before, at }): Task => {
      const all = typeof before === 'object' && 'file' in before ? linesOf(before.file) : []
      const one = all[at] ?? ''
      return {
        kind: 'no line',
        name,
        before,
        make: (path) => line({ path, line: one, state: 'absent' }),
        after: (was = Buffer.alloc(0)) => ({
          file: withLines(was, (all) => (all.includes(one) ? all.filter((other) => other !== one) : all)),
        }),
      }
    }),
  block: fc
    .record({
      name: fileName,
      before: aFile(editable),
      inner: editable,
      // With a word of its own: no file is to have such a line by chance.
      mark: lineText.map((one) => `${one.replaceAll('\uFFFD', '').replaceAll('{mark}', '')} bed {mark}`),
    })
    .map(({ name, before, inner, mark }): Task => ({
      kind: 'block',
      name,
      before,
      make: (path) => block({ path, block: inner.toString(), marker: mark }),
      after: (was = Buffer.alloc(0)) => ({
        file: withLines(was, (all) => [
          ...all,
          mark.replace('{mark}', 'BEGIN'),
          ...linesOf(inner),
          mark.replace('{mark}', 'END'),
        ]),
      }),
    })),
  link: fc
    .record({
      name: fileName,
      before: fc.oneof(nothing, aLink),
      target: text.filter((one) => one !== '' && Buffer.byteLength(one) < 1000),
    })
    .map(({ name, before, target }): Task => ({
      kind: 'link',
      name,
      before,
      make: (path) => link({ path, target }),
      after: () => ({ link: target }),
    })),
  directory: fc
    .record({ name: fileName, before: fc.oneof(nothing, aDirectory) })
    .map(({ name, before }): Task => ({
      kind: 'directory',
      name,
      before,
      make: (path) => directory({ path, ...ME }),
      after: () => 'directory',
    })),
  absent: fc
    .record({ name: fileName, before: fc.oneof(nothing, aFile(utf8), aLink, aDirectory) })
    .map(({ name, before }): Task => ({
      kind: 'absent',
      name,
      before,
      make: (path) => absent({ path }),
      after: () => 'nothing',
    })),
  command: fc
    .record({ name: fileName, before: nothing, printed: text })
    .map(({ name, before, printed }): Task => ({
      kind: 'command',
      name,
      before,
      make: (path) => command({ title: printed, run: sh`printf %s ${printed} >${path}`, creates: path }),
      after: () => ({ file: Buffer.from(printed) }),
    })),
}

function linesOf(text: Buffer): string[] {
  if (text.length === 0) return []
  return text.toString().replace(/\n$/, '').split('\n')
}

function withLines(was: Buffer, edit: (all: string[]) => string[]): Buffer {
  const all = linesOf(was)
  const edited = edit(all)
  return edited === all ? was : Buffer.from(edited.map((one) => `${one}\n`).join(''))
}
