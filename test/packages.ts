import { accessSync, constants } from 'node:fs'
import { run } from '../src/lab/run.ts'

/**
 * Installs the Debian packages that bring the named programs, where they are missing. Needs root and apt.
 *
 * @example await ensurePackages({ '/usr/sbin/sshd': 'openssh-server' })
 */
export async function ensurePackages(programs: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.entries(programs).flatMap(([path, name]) => (isExecutable(path) ? [] : [name]))
  if (missing.length === 0) return
  // A new service (sshd) must not be started on the computer that runs the tests.
  const policy = '/usr/sbin/policy-rc.d'
  const script = `
set -e
export DEBIAN_FRONTEND=noninteractive
if [ ! -e ${policy} ]; then
  printf '#!/bin/sh\\nexit 101\\n' > ${policy}
  chmod 755 ${policy}
  trap 'rm -f ${policy}' EXIT
fi
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"`
  await run(['sh', '-c', script, 'sh', ...missing])
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
