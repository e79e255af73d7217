import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

/** Whether a program is on this computer, where root would find it. */
export function hasProgram(name: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin']
  return directories.some((directory) => directory !== '' && isExecutable(join(directory, name)))
}

/** Installs Debian packages on this computer, as root; a service among them is not started. */
export async function installPackages(names: readonly string[]): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d'
  const script = `
set -e
# apt waits for dpkg's lock, and not for that of the package lists.
exec 9>>/run/lock/bramble-apt
flock 9
export DEBIAN_FRONTEND=noninteractive
if [ ! -e ${policy} ]; then
  printf '#!/bin/sh\\nexit 101\\n' > ${policy}
  chmod 755 ${policy}
  trap 'rm -f ${policy}' EXIT
  # A signal does not end this without that.
  trap 'exit 130' HUP INT TERM
fi
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"`
  await run(['sh', '-c', script, 'sh', ...names])
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
