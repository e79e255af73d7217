import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const top = '/sys/fs/cgroup'

/** Removes the cgroups, of every hierarchy, whose names begin so. The processes in them have to be gone. */
export function removeCgroups(prefix: string): void {
  const hierarchies = existsSync(join(top, 'cgroup.procs')) ? [top] : children(top)
  for (const hierarchy of hierarchies) {
    for (const path of children(hierarchy)) {
      if (path.startsWith(join(hierarchy, prefix))) remove(path)
    }
  }
}

function remove(cgroup: string): void {
  children(cgroup).forEach(remove)
  rmdirSync(cgroup)
}

function children(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
}
