import type { Parameters } from 'fast-check'
import { hasProgram } from '../../../src/lab/programs.ts'
import { ensurePackages } from '../../packages.ts'

/** Cases of all property tests together, roughly: 2,000 in `npm test`, BRAMBLE_CASES=100000 by night. */
export const cases = Number(process.env['BRAMBLE_CASES'] ?? 2000)

/** Printed with each test; BRAMBLE_SEED repeats a run. */
export const seed = Number(process.env['BRAMBLE_SEED'] ?? Date.now() % 2 ** 31)

/** How fast-check shall run a property: this share of the cases, each of them `batch` values at once. */
export function runs(share: number, batch = 1): Parameters<unknown> {
  return {
    seed,
    numRuns: Math.max(1, Math.ceil((cases * share) / batch)),
    endOnFailure: process.env['BRAMBLE_SHRINK'] === undefined,
  }
}

/** Milliseconds that a property may take: what the default number of cases may, and in proportion more. */
export function patience(milliseconds: number): number {
  return milliseconds * Math.max(1, cases / 2000)
}

/** The shells that a host may have as /bin/sh. Busybox is left out where it is not and cannot be installed. */
export const shells = [
  'dash',
  'bash',
  ...(hasProgram('busybox') || process.getuid?.() === 0 ? ['busybox sh'] : []),
] as const

/** Installs what a shell of `shells` comes in. */
export async function ensureShell(shell: string): Promise<void> {
  const program = shell.split(' ')[0] ?? shell
  await ensurePackages({ [program]: program })
}
