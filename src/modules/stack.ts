import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { InputError } from '../errors.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { unfinished } from '../stack/convergence.ts'
import { readStack, specOf, stackProbe, stackServices, type Service, type StackSeen } from '../stack/state.ts'

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
  /** Seconds that all services may take until they run. Default 300. */
  timeout?: number
}

/**
 * A stack, deployed from its directory by `docker stack deploy` on a manager, and its services running.
 *
 * What the last deploy left is kept in `.deployed.json` beside the compose file: a deploy is due when a file, or
 * a service's specification, differs from it. `docker service update --force` alone is no difference.
 *
 * Errors: those of `docker stack deploy`; an update that was rolled back or paused; the deadline, with the tasks
 * that do not run and why.
 *
 * @see https://docs.docker.com/reference/cli/docker/stack/deploy/
 * @example
 * stack({ name: 'ha-stack', directory: '/opt/bramble/ha-stack', files: { 'docker-compose.yml': 'services: {}\n' } })
 */
export function stack(options: StackOptions): Resource {
  const { name, directory, files, timeout = 300, ...common } = options
  if (!directory.startsWith('/')) throw new InputError(`stack ${name}: ${directory} is no absolute path`)
  const wanted = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, sha256(text)]))
  return resource(
    {
      title: `stack ${name}`,
      probe: stackProbe(name, directory),
      settle: timeout,
      plan(seen) {
        const found = readStack(seen)
        const reasons = found
          ? differences(found, wanted)
          : [`- no swarm is managed from here\n+ stack ${name}`]
        if (reasons.length > 0) return { diff: reasons.join('\n'), apply: deploy(options, wanted) }
        const waiting = found ? unfinished(name, found) : []
        if (waiting.length === 0) return undefined
        const paused = found?.services.some(({ UpdateStatus }) => UpdateStatus?.State === 'paused')
        return {
          diff: waiting.join('\n'),
          ...(paused ? { apply: deploy(options, wanted) } : { apply: sh`:`, waits: true as const }),
        }
      },
    },
    // The change itself waits for rolling updates, the rest of the deadline is for what comes up after them.
    { ...common, timeout: timeout + 60 },
  )
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
  const services = deployed.services.flatMap((before) => {
    const now = found.services.find(({ ID }) => ID === before.ID)
    if (!now) return [`- service ${before.Spec.Name}: gone`]
    if (isDeepStrictEqual(specOf(now), specOf(before))) return []
    const rolledBack = now.UpdateStatus?.State.startsWith('rollback')
      ? `: ${now.UpdateStatus.Message ?? 'rolled back'}`
      : ''
    return [`~ service ${before.Spec.Name}: not as deployed${rolledBack}`]
  })
  const strangers = found.services
    .filter(({ ID }) => !deployed.services.some((before: Service) => before.ID === ID))
    .map(({ Spec }) => `~ service ${Spec.Name}: not from the last deploy`)
  return [...files, ...services, ...strangers]
}

function deploy(options: StackOptions, files: Readonly<Record<string, string>>): Sh {
  const {
    name,
    directory,
    composeFile = 'docker-compose.yml',
    resolveImage = 'always',
    prune = true,
  } = options
  const { timeout = 300 } = options
  const flags = [...(prune ? ['--prune'] : []), '--resolve-image', resolveImage]
  const record = `{"files":${JSON.stringify(files)},"services":`
  return lines(
    sh`cd ${directory}`,
    sh`docker stack deploy -c ${composeFile} ${flags} ${name}`,
    sh`umask 077`,
    sh`services=$(${stackServices(name)})`,
    sh`printf '%s%s}\n' ${record} "$services" >.deployed.json.new`,
    sh`mv .deployed.json.new .deployed.json`,
    awaitUpdates(name, timeout),
  )
}

/** A deploy that is rolled back or paused fails here, while docker can still say which task was the cause. */
function awaitUpdates(name: string, seconds: number): Sh {
  return sh`deadline=$(($(date +%s) + ${seconds}))
while [ "$(date +%s)" -lt "$deadline" ]; do
  services=$(${stackServices(name)})
  case $services in
    *'"UpdateStatus":{"State":"rollback_'* | *'"UpdateStatus":{"State":"paused"'*)
      echo 'the update failed and was rolled back or paused:' >&2
      docker stack ps --no-trunc --filter desired-state=shutdown --format ${'{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}'} ${name} | grep -i -e failed -e rejected >&2 || :
      exit 1 ;;
    *'"UpdateStatus":{"State":"updating"'*) sleep 2 ;;
    *) break ;;
  esac
done`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
