import { cpSync } from 'node:fs'
import { join } from 'node:path'

/** Copies the shipped playbooks and templates into a project, which may change them. */
export function copyShipped(project: string): void {
  for (const folder of ['playbooks', 'templates']) {
    cpSync(join(import.meta.dirname, '..', folder), join(project, folder), { recursive: true })
  }
}
