import type { Findings } from './problem.ts'
import { dockerProblems, machineProblems, unreachable } from './problems-machines.ts'
import { contentProblems, shareProblems } from './problems-share.ts'
import { balancerProblems, unserved, vipProblems } from './problems-site.ts'
import { certificateProblems } from './problems-certificates.ts'
import { membershipProblems, serviceProblems, swarmProblems } from './problems-swarm.ts'
import type { Problem } from './types.ts'

/** All that is wrong, the worst first: what takes the site away, what takes its reserves, what may come to that. */
export function problemsOf(findings: Findings): Problem[] {
  return [
    ...vipProblems(findings),
    ...unserved(findings),
    ...swarmProblems(findings),
    ...unreachable(findings),
    ...dockerProblems(findings),
    ...membershipProblems(findings),
    ...serviceProblems(findings),
    ...balancerProblems(findings),
    ...shareProblems(findings),
    ...contentProblems(findings),
    ...certificateProblems(findings),
    ...machineProblems(findings),
  ]
}
