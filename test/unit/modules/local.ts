import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Change, Resource, Seen } from '../../../src/playbook/resource.ts'
import type { Sh } from '../../../src/playbook/sh.ts'

export const SHELLS = ['dash', 'bash'] as const

/** Who runs the tests, so that they need not be root. */
export const ME = { owner: String(process.getuid?.()), group: String(process.getgid?.()) }

export interface Ran extends Seen {
  stderr: string
}

/** Runs a script on this machine: as a probe in a subshell, or `strict`, as a change is run, with `set -e`. */
export function run(script: Sh, options: { shell?: string; strict?: boolean; input?: Buffer } = {}): Ran {
  const { shell = 'dash', strict = false, input = Buffer.alloc(0) } = options
  const directory = mkdtempSync(join(tmpdir(), 'bramble-script-'))
  const name = join(directory, 'script')
  writeFileSync(name, strict ? `set -e\n${script.text}\n` : `(\n${script.text}\n)`)
  const { status, stdout, stderr, error } = spawnSync(shell, [name], { input, timeout: 10_000 })
  rmSync(directory, { recursive: true })
  assert.equal(error, undefined)
  return { code: status ?? 1, stdout: stdout.toString(), stderr: stderr.toString() }
}

/** Probes a resource on this machine and plans. */
export function plan(one: Resource, shell = 'dash'): Change | undefined {
  return one.plan(run(one.probe, { shell }))
}

/** Applies a change on this machine. */
export function apply({ apply: script, input }: Change, shell = 'dash'): Ran {
  const content: unknown = input?.().read()
  return run(script, { shell, strict: true, input: content instanceof Buffer ? content : Buffer.alloc(0) })
}

/** Brings a resource about on this machine, and sees that it is so then. Returns the change that was needed. */
export function converge(one: Resource, shell = 'dash'): Change {
  const change = plan(one, shell)
  assert.ok(change, 'there was nothing to change')
  const { code, stderr } = apply(change, shell)
  assert.equal(code, 0, stderr)
  assert.equal(plan(one, shell), undefined, 'it did not converge')
  return change
}

/** A directory for the tests of one `describe`; its path is there once they run. */
export function temporary(): { readonly path: string } {
  const directory = { path: '' }
  before(() => {
    directory.path = mkdtempSync(join(tmpdir(), 'bramble-modules-'))
  })
  after(() => rmSync(directory.path, { recursive: true, force: true }))
  return directory
}
