import assert from 'node:assert/strict'
import type { Change, Resource, Seen } from '../../../src/playbook/resource.ts'

/** What a module shall make of what was seen. */
export interface Case {
  title: string
  make: () => Resource
  /** What the probe printed; a text stands for exit code 0. */
  seen: string | Seen
  expect: 'ok' | 'change' | 'wait' | 'error'
  /** For a change or a wait: what its diff and its script contain. For an error: what it says. */
  diff?: string | RegExp
  apply?: string | RegExp
  error?: RegExp
}

/** One test for each case. */
export function table(cases: readonly Case[]): void {
  for (const one of cases) it(one.title, () => check(one))
}

function check({ make, seen, expect, diff, apply, error }: Case): void {
  const plan = (): Change | undefined =>
    make().plan(typeof seen === 'string' ? { code: 0, stdout: seen } : seen)
  if (expect === 'error') {
    assert.throws(plan, error ?? Error)
    return
  }
  const change = plan()
  if (expect === 'ok') {
    assert.equal(change, undefined)
    return
  }
  assert.ok(change, `no ${expect}`)
  assert.equal(change.waits === true ? 'wait' : 'change', expect)
  contains(change.diff, diff)
  contains(change.apply.text, apply)
}

function contains(text: string, part: string | RegExp | undefined): void {
  if (part instanceof RegExp) assert.match(text, part)
  else if (part !== undefined) assert.ok(text.includes(part), `${JSON.stringify(part)} is not in:\n${text}`)
}
