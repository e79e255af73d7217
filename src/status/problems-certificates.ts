import { forceNewCluster } from '../modules/swarm-trouble.ts'
import { isTold, told } from './answers.ts'
import { problem, type Findings } from './problem.ts'
import type { Told } from './told.ts'
import type { Problem } from './types.ts'

/** Docker renews a certificate when between a half and a fifth of its time is left. */
export function certificateProblems({ answers, commands, now }: Findings): Problem[] {
  const managers = answers.cluster.group('managers')
  const all = managers.every((host) => {
    const one = answers.asked.get(host)
    return isTold(one) && isExpired(one)
  })
  const lost = all ? managers : []
  return told(answers).flatMap(([{ name }, one]) => {
    if (!one.certificate) return []
    const [from, until] = [Date.parse(one.certificate.from), Date.parse(one.certificate.until)]
    const day = one.certificate.until.slice(0, 10)
    const its = `the certificate of ${name} in the swarm`
    if (isExpired(one)) {
      // Any manager that is left lets it in again.
      const last = name === lost[0]?.name ? [commands.exec([name], forceNewCluster(lost[0].address))] : []
      return [problem([name], `${its} has expired on ${day}`, [...last, commands.apply('swarm')])]
    }
    if (until - now > 0.15 * (until - from)) return []
    const restart = commands.exec([name], 'systemctl restart docker')
    return [problem([name], `${its} was not renewed: it expires on ${day}`, [restart])]
  })
}

export function isExpired({ certificate, answered }: Told): boolean {
  return certificate !== null && Date.parse(certificate.until) < answered
}
