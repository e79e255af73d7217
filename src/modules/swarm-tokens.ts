import { sh, type Sh } from '../playbook/sh.ts'
import type { Common, Facts, Resource, Seen } from '../playbook/resource.ts'
import { Secret } from '../secrets/secret.ts'
import { dockerGet, parseJson } from './docker.ts'
import { aboutSwarm } from './swarm-nodes.ts'

/**
 * The tokens that let machines into the swarm; to be asked of a manager, and only when somebody has to join.
 * Facts: `manager_token` and `worker_token`, both secret.
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /swarm)
 * @example swarmTokens()
 */
export function swarmTokens(common: Common = {}): Resource {
  return aboutSwarm(
    {
      title: 'swarm join tokens',
      probe: dockerGet('/swarm'),
      plan: (seen) =>
        readTokens(seen)
          ? undefined
          : { diff: '- no join tokens: this host manages no swarm\n+ join tokens', apply: noManager },
      facts: (seen): Facts => {
        const tokens = readTokens(seen)
        return tokens
          ? { manager_token: new Secret(tokens.Manager), worker_token: new Secret(tokens.Worker) }
          : {}
      },
    },
    common,
  )
}

const noManager: Sh = sh`echo 'this host is no manager of a swarm, so it has no join tokens' >&2; exit 1`

function readTokens(seen: Seen): { Manager: string; Worker: string } | undefined {
  const answer = parseJson(seen.stdout)
  return isTokens(answer) ? answer.JoinTokens : undefined
}

function isTokens(value: unknown): value is { JoinTokens: { Manager: string; Worker: string } } {
  return typeof value === 'object' && value !== null && 'JoinTokens' in value
}
