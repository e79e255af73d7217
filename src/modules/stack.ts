import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../errors.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import { unfinished } from '../stack/convergence.ts'
import { deploy, finish, type Rollout } from '../stack/rollout.ts'
import { aboutSwarm } from './swarm-nodes.ts'
import { readStack, specOf, stackProbe, type StackSeen, type Version } from '../stack/state.ts'

export interface StackOptions extends Common {
  name: string
  /** Absolute path of the directory that holds the compose file and all it names. */
  directory: string
  /** Default `docker-compose.yml`. */
  composeFile?: string
  /** Texts of the files in the directory, by name: a deploy is due when one of them has changed since the last. */
  files: Readonly<Record<string, string>>
  /** Whether the registry is asked for the digest behind a tag. Default `always`; `never` where there is none. */
  resolveImage?: 'always' | 'changed' | 'never'
  /** Remove services that the compose file does not name any more. Default true. */
  prune?: boolean
  /** Seconds that all services may take until they run, and as many for going back. Default 300. */
  timeout?: number
}

/**
 * A stack, deployed from its directory by `docker stack deploy` on a manager, and its services running.
 *
 * What the last deploy left is kept in `.deployed.json` beside the compose file: a deploy is due when a file, or
 * a service's specification, differs from it. `docker service update --force` alone is no difference.
 *
 * If not all services run in time, or the swarm gives one's update up, all of them go back to what they were before
 * the deploy, and the task fails. The files in the directory stay, so the next run tries them again. A run that is
 * killed leaves what was before on record, for the next one to go back to.
 *
 * Errors: those of `docker stack deploy`; the services that do not run, with their tasks, what these logged last, and
 * whether all is back at the version before.
 *
 * @see https://docs.docker.com/reference/cli/docker/stack/deploy/
 * @example
 * stack({ name: 'ha-stack', directory: '/opt/bramble/ha-stack', files: { 'docker-compose.yml': 'services: {}\n' } })
 */
export function stack(options: StackOptions): Resource {
  const { name, directory, files, timeout = 300, ...common } = options
  if (!directory.startsWith('/')) throw new InputError(`stack ${name}: ${directory} is no absolute path`)
  const wanted = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, sha256(text)]))
  const rollout = (former: Version): Rollout => ({ name, directory, files: wanted, former, timeout })
  return aboutSwarm(
    {
      title: `stack ${name}`,
      probe: stackProbe(name, directory),
      settle: timeout,
      plan(seen) {
        const found = readStack(seen)
        if (!found) {
          const diff = `- no swarm is managed from here\n+ stack ${name}`
          // Not a deploy that might go through: what there is to go back to would be forgotten.
          return { diff, apply: sh`echo 'no manager of a swarm answers here: bramble status' >&2; exit 1` }
        }
        const reasons = differences(found, wanted)
        const waiting = unfinished(name, found)
        const gaveUp = found.services.some(({ UpdateStatus }) => UpdateStatus?.State === 'paused')
        if (reasons.length > 0 || gaveUp) {
          const diff = (reasons.length > 0 ? reasons : waiting).join('\n')
          return { diff, apply: deploy(rollout(formerOf(name, found)), command(options)) }
        }
        if (found.deployed?.former) {
          const diff = ['~ deployed by a run that did not see it through', ...waiting].join('\n')
          return { diff, apply: finish(rollout(found.deployed.former), found.deployed) }
        }
        if (waiting.length === 0) return undefined
        return { diff: waiting.join('\n'), apply: sh`:`, waits: true }
      },
    },
    // The change itself waits for the services and may go back; the rest is for docker stack deploy.
    { ...common, timeout: 2 * timeout + 120 },
  )
}

const nothing: Version = { files: {}, services: [] }

/** What to go back to if the next deploy does not run: what runs now, or what was before if that does not either. */
function formerOf(name: string, found: StackSeen): Version {
  const { deployed, services } = found
  const runs = services.length > 0 && unfinished(name, found).length === 0
  if (!deployed) return runs ? version({ files: {}, services }) : nothing
  const { former } = deployed
  const changed = changedServices(found).length > 0
  // Another manager has deployed since, or somebody by hand.
  if (!former && runs && changed) return version({ files: {}, services })
  return !former || (runs && !changed) ? version(deployed) : former
}

function version({ files, services }: Version): Version {
  return { files, services: services.map(({ ID, Spec }) => ({ ID, Spec })) }
}

/** Why a deploy is due, as lines of a diff. */
function differences(found: StackSeen, wanted: Readonly<Record<string, string>>): string[] {
  const { deployed } = found
  if (!deployed)
    return found.services.length === 0 ? ['+ services'] : ['~ services: not known to come from these files']
  const names = [...new Set([...Object.keys(deployed.files), ...Object.keys(wanted)])]
  const files = names
    .filter((file) => deployed.files[file] !== wanted[file])
    .map(
      (file) =>
        `${wanted[file] === undefined ? '-' : deployed.files[file] === undefined ? '+' : '~'} ${file}`,
    )
  return [...files, ...changedServices(found)]
}

/** How the services differ from those that the last deploy left. */
function changedServices({ deployed = nothing, services }: StackSeen): string[] {
  const changed = deployed.services.flatMap((before) => {
    const now = services.find(({ ID }) => ID === before.ID)
    if (!now) return [`- service ${before.Spec.Name}: gone`]
    if (isDeepStrictEqual(specOf(now), specOf(before))) return []
    const rolledBack = now.UpdateStatus?.State.startsWith('rollback')
      ? `: ${now.UpdateStatus.Message ?? 'rolled back'}`
      : ''
    return [`~ service ${before.Spec.Name}: not as deployed${rolledBack}`]
  })
  const strangers = services
    .filter(({ ID }) => !deployed.services.some((before) => before.ID === ID))
    .map(({ Spec }) => `~ service ${Spec.Name}: not from the last deploy`)
  return [...changed, ...strangers]
}

function command({
  name,
  composeFile = 'docker-compose.yml',
  resolveImage = 'always',
  prune = true,
}: StackOptions): Sh {
  const flags = [...(prune ? ['--prune'] : []), '--resolve-image', resolveImage]
  return sh`docker stack deploy -c ${composeFile} ${flags} ${name}`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
