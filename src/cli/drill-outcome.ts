import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { drillPicture } from '../drill/picture.ts'
import { drillReport } from '../drill/report.ts'
import type { DrillResult, DrillsResult } from '../drill/result.ts'
import { logText } from '../drill/text.ts'
import { ConnectionError, InputError, type BrambleError } from '../errors.ts'
import { replaceFile } from '../replace-file.ts'
import { redact } from '../secrets/secret.ts'
import { projectDirectory } from './project.ts'

/** Whether all drills that were asked for were run, kept their bounds, and left the cluster as it was. */
export function allWell(drills: readonly DrillResult[], asked: number): boolean {
  return drills.length === asked && drills.every(({ ok, as_before: asBefore }) => ok && asBefore)
}

/** Tells why not all was run; the exit code. */
export function concluded(
  { ok }: DrillsResult,
  failure: BrambleError | undefined,
  interrupted: boolean,
): number {
  if (failure) process.stderr.write(`${redact(failure.describe())}\n`)
  else if (interrupted) process.stderr.write('interrupted: what was cut has been put back\n')
  if (interrupted) return 130
  if (failure instanceof ConnectionError) return 4
  return ok ? 0 : 2
}

/** The folder that a report is to go into, if one was named, made before anything is broken. Errors: InputError where it cannot be. */
export function makeFolder(folder: string | undefined): void {
  if (folder === undefined) return
  try {
    mkdirSync(resolve(projectDirectory(), folder), { recursive: true })
  } catch (cause) {
    throw new InputError('the report cannot be written there', {
      at: folder,
      found: (cause as Error).message,
      next: 'name another folder with --report',
      cause,
    })
  }
}

/** Writes the report, its picture, its figures, and what the load balancers logged during each drill; the folder they are in. */
export function writeReport(result: DrillsResult, folder: string | undefined): string {
  const stamp = result.time.slice(0, 19).replaceAll(':', '-')
  const directory = folder ?? join('.bramble/drills', stamp)
  const run = result.drills.filter(({ skipped }) => skipped === null)
  const files = {
    ...Object.fromEntries(run.map((one) => [`${one.name}.log`, logText(one)])),
    'report.md': drillReport(result, 'availability.svg'),
    'availability.svg': drillPicture(result),
    'drills.json': `${JSON.stringify(result)}\n`,
  }
  makeFolder(directory)
  for (const [name, text] of Object.entries(files)) {
    replaceFile(resolve(projectDirectory(), directory, name), redact(text), 0o644)
  }
  return directory
}
