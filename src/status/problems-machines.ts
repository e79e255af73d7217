import { isTold, reasonOf, told } from './answers.ts'
import { problem, type Findings } from './problem.ts'
import type { NodeStatus, Problem } from './types.ts'

/** A Pi slows down at 80 °C. */
const HOT = 80

/** Hosts that told nothing, and why. */
export function unreachable({ answers, commands }: Findings): Problem[] {
  return [...answers.asked].flatMap(([{ name }, one]) =>
    isTold(one)
      ? []
      : [problem([name], `${name}: ${reasonOf(one)}`, [commands.exec([name], 'uptime')], one.details.next)],
  )
}

/** Docker that does not run, or does not answer. */
export function dockerProblems({ answers, commands }: Findings): Problem[] {
  return told(answers).flatMap(([{ name }, { daemon }]) => {
    if (daemon === 'answers') return []
    if (daemon === 'off')
      return [problem([name], `Docker does not run on ${name}`, [commands.apply('docker', [name])])]
    const restart = commands.exec([name], 'systemctl restart docker')
    return [problem([name], `Docker runs on ${name}, and gives no answer`, [restart])]
  })
}

/** What a machine runs out of: disk, time, air. */
export function machineProblems(findings: Findings): Problem[] {
  return findings.status.nodes.flatMap((node) => shortages(findings, node))
}

function shortages({ answers, commands }: Findings, node: NodeStatus): Problem[] {
  const { max_clock_skew: skew, min_free_disk_mb: free } = answers.cluster.settings.preflight
  const { name, disk_free_mb: disk, clock_offset_s: clock, temperature_c: heat } = node
  const found: Problem[] = []
  const tell = (what: string, command: string, next?: string) =>
    found.push(problem([name], what, [commands.exec([name], command)], next))
  if (disk !== null && disk < free)
    tell(
      `${name} has ${disk} MB of its disk free, less than ${free}`,
      `sh -c 'du -xm / | sort -n | tail -n 20'`,
      'Make room; this is what takes most:',
    )
  if (clock !== null && Math.abs(clock) > skew)
    tell(
      `the clock of ${name} is ${Math.abs(clock)} s ${clock > 0 ? 'ahead' : 'behind'}`,
      'timedatectl set-ntp true',
    )
  if (heat !== null && heat >= HOT)
    tell(
      `${name} is ${heat} °C hot, and slows down`,
      `sh -c 'top -bn1 | head -n 15'`,
      'Give it air; this is what keeps it busy:',
    )
  return found
}
