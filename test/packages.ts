import { hasProgram, installPackages } from '../src/lab/programs.ts'

/**
 * Installs the Debian packages that bring the named programs, where they are missing. Needs root and apt.
 *
 * @example await ensurePackages({ sshd: 'openssh-server' })
 */
export async function ensurePackages(programs: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.entries(programs).flatMap(([program, name]) => (hasProgram(program) ? [] : [name]))
  if (missing.length > 0) await installPackages(missing)
}
