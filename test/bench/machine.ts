import { cpus, getPriority, loadavg, release, totalmem } from 'node:os'
import { attempt } from '../../src/lab/run.ts'

/** What the figures were measured on, and whether they can be relied on. */
export function machine(): string[] {
  const processors = cpus()
  const [load = 0] = loadavg()
  const busy = load > processors.length / 4 || getPriority() > 0
  const about = `${processors.length} × ${processors[0]?.model.trim()}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}, both ends of each connection on it`
  if (!busy) return [about]
  return [
    about,
    `**measured on a busy machine** (load ${load.toFixed(1)}, nice ${getPriority()}): these are no figures`,
  ]
}

/** The versions of what is compared. */
export async function versions(): Promise<string[]> {
  const packages = ['openssh-client', 'ansible-core', 'ansible-mitogen']
  const { stdout } = await attempt(['dpkg-query', '-W', '-f', '${Package} ${Version}\n', ...packages])
  return [`node ${process.version}`, ...stdout.trim().split('\n')]
}
