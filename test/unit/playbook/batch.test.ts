import assert from 'node:assert/strict'
import { batched, bundle, type Batch } from '../../../src/playbook/batch.ts'
import type { Seen } from '../../../src/playbook/resource.ts'
import { raw, sh, type Sh } from '../../../src/playbook/sh.ts'

/** Looks at letters; an answer that does not have a line for each cannot be told apart. */
const letters: Batch<string> = {
  merge: (items) => sh`letters ${items}`,
  split: ({ stdout }, items) => {
    const found = stdout.split(' ')
    return found.length === items.length ? found.map((text) => ({ code: 0, stdout: text })) : undefined
  },
}
const numbers: Batch<number> = {
  merge: (items) => sh`numbers ${items}`,
  split: (seen, items) => items.map((item) => ({ code: seen.code, stdout: `${item}` })),
}
const letter = (name: string): Sh => batched(letters, name, sh`letter ${name}`)
const number = (value: number): Sh => batched(numbers, value, sh`number ${value}`)
const printed = (...texts: string[]): Seen[] => texts.map((stdout) => ({ code: 0, stdout }))
const texts = (seen: readonly (Seen | undefined)[]) => seen.map((one) => one?.stdout)

describe('a bundle of probes', () => {
  it('is nothing when there are none', () => {
    const { commands, read } = bundle([])
    assert.deepEqual([commands, read([])], [[], []])
  })

  it('has one command for those of a batch, and gives each probe its own answer', () => {
    const { commands, read } = bundle([
      letter('a'),
      sh`uptime`,
      letter('b'),
      number(1),
      number(2),
      letter('c'),
    ])
    assert.deepEqual(commands, ['letters a b c', 'numbers 1 2', 'uptime'])
    assert.deepEqual(texts(read(printed('A B C', 'any', 'up'))), ['A', 'up', 'B', '1', '2', 'C'])
  })

  it('runs the only one of a batch by its own command', () => {
    const { commands, read } = bundle([sh`uptime`, letter('a')])
    assert.deepEqual(commands, ['uptime', 'letter a'])
    assert.deepEqual(texts(read(printed('up', 'A'))), ['up', 'A'])
  })

  it('leaves open what cannot be told apart, and only that', () => {
    const { read } = bundle([letter('a'), letter('b'), number(1), number(2), sh`uptime`])
    assert.deepEqual(texts(read(printed('broken', 'any', 'up'))), [undefined, undefined, '1', '2', 'up'])
  })

  it('does not take a probe for batched because its text is the same', () => {
    const alone = sh`letter ${'a'}`
    batched(letters, 'a', alone)
    const { commands } = bundle([alone, raw('letter a'), letter('b'), letter('c')])
    assert.deepEqual(commands, ['letters b c', 'letter a', 'letter a'])
  })

  it('keeps a probe’s own text, by which its answer is remembered', () => {
    assert.equal(letter('a').text, 'letter a')
    assert.equal(sh`( ${letter('a')} )`.text, '( letter a )')
  })
})
