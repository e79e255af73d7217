import { BrambleError } from '../../src/errors.ts'
import { until } from '../../src/lab/wait.ts'
import { onHost, type LightHost } from '../light-host.ts'

/** A program that was started: its arguments and its environment, as strace prints them. */
export interface Exec {
  argv: string
  env: string
}

/**
 * Has strace record programs whole, those too that a program starts in turn. Each process has a file of its own: in a
 * file for all, what two do at the same time is torn into `<unfinished ...>` and `resumed`.
 */
export const traceExecs =
  '--follow-forks --output-separately --quiet=all --trace=execve --no-abbrev --string-limit=200000'.split(' ')

/**
 * From now on every program that a login of this host starts is recorded, with all its arguments and variables: what
 * /proc/*\/cmdline and /proc/*\/environ show, without gaps between samples. strace is installed for that.
 */
export async function watchExecs(host: LightHost): Promise<void> {
  const { code, stderr } = await onHost(
    host,
    `set -e
    command -v strace >/dev/null || apt-get install -qq -y --no-install-recommends strace
    mkdir -p /run/execs
    systemd-run --quiet --unit=execs strace ${traceExecs.join(' ')} \\
      --output=/run/execs/of --attach="$(systemctl show --property=MainPID --value ssh)"`,
  )
  if (code !== 0)
    throw new BrambleError('the programs of the host cannot be watched', { host: host.name, stderr })
  await until('the watch to begin', 30_000, async () => (await execsOf(host)).length > 0)
}

/** What was started since; programs that are not there, which a shell tries along its PATH, are left out. */
export async function execsOf(host: LightHost): Promise<Exec[]> {
  const { stdout } = await onHost(host, 'cat /run/execs/*')
  return execsIn(stdout)
}

/** What strace wrote, with `traceExecs` for its options. */
export function execsIn(trace: string): Exec[] {
  return [...trace.matchAll(/execve\("[^\n]*?", (\[.*\]), (\[.*\])\) = 0$/gm)].map(
    ([, argv = '', env = '']) => ({ argv, env }),
  )
}
