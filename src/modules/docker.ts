import { batched, type Batch } from '../playbook/batch.ts'
import { lines, sh, type Sh } from '../playbook/sh.ts'
import { resource, type Change, type Common, type Resource, type Seen } from '../playbook/resource.ts'
import { start } from './service.ts'

/** What is used of the answer to `GET /info`. */
export interface DockerInfo {
  ServerVersion: string
  Swarm: {
    NodeID: string
    NodeAddr: string
    LocalNodeState: 'inactive' | 'pending' | 'active' | 'error' | 'locked'
    ControlAvailable: boolean
    Error: string
    RemoteManagers?: { NodeID: string; Addr: string }[] | null
    /** Only managers of a swarm that has a leader tell it. */
    Cluster?: { ID: string } | null
  }
}

export interface Question {
  /** A file of JSON on one line that is printed first; `null` where there is none. */
  file?: string
  /** Paths of the API. */
  paths: readonly string[]
  /** Seconds that each answer may take. Default 20. */
  seconds?: number
}

/**
 * Asks the Docker daemon of the host; several paths are answered one after another, each on a line of its own. All
 * questions to a host share one curl. A daemon that does not run is not asked: systemd would start it at the first
 * connection to its socket.
 */
export function dockerGet(...paths: readonly string[]): Sh {
  return dockerAsk({ paths })
}

/** The same, with a file of JSON on the host before it, or with another deadline. */
export function dockerAsk(question: Question): Sh {
  return batched(questions, question, questions.merge([question]))
}

/** Tells by Docker's own record, without asking the daemon. */
export const daemonRuns: Sh = sh`{ pid=; { read -r pid </run/docker.pid || :; } 2>/dev/null; [ -n "$pid" ] && [ -d "/proc/$pid" ]; }`

const questions: Batch<Question> = {
  merge(items) {
    const files = items.flatMap(({ file }) => (file === undefined ? [] : [file]))
    const urls = pathsOf(items).map((path) => `http://docker${path}`)
    const seconds = Math.min(...items.map((item) => item.seconds ?? 20))
    // Some answers end in a line feed and some do not; -w adds one to each.
    // A daemon that hangs is waited for once, not once for each question.
    const curl = sh`curl -sS --max-time ${seconds} --fail-early -w ${'\\n'} --unix-socket /run/docker.sock ${urls}`
    return lines(
      ...files.map((file) => sh`cat ${file} 2>/dev/null || echo null`),
      sh`${daemonRuns} || exit 7`,
      curl,
    )
  },
  split({ code, stdout }, items) {
    const told = stdout.split('\n').filter((line) => line !== '')
    const files = told.splice(0, items.filter(({ file }) => file !== undefined).length)
    const asked = pathsOf(items)
    if (code === 0 && told.length !== asked.length) return undefined
    return items.map(({ file, paths }) => {
      const answers = paths.flatMap((path) => told[asked.indexOf(path)] ?? [])
      const own = [...(file === undefined ? [] : files.splice(0, 1)), ...answers]
      return { code, stdout: own.map((line) => `${line}\n`).join('') }
    })
  },
}

/** What several ask is asked once. */
function pathsOf(items: readonly Question[]): string[] {
  return [...new Set(items.flatMap(({ paths }) => paths))]
}

/**
 * Sends JSON to the Docker daemon. The body goes through a pipe from the shell's own printf, so that no process
 * has a token among its arguments; what the daemon objects to goes to stderr.
 */
export function dockerPost(path: string | Sh, body: Parameters<typeof sh>[1]): Sh {
  const json = 'Content-Type: application/json'
  return sh`printf %s ${body} | curl -sS --max-time 120 --fail-with-body --unix-socket /run/docker.sock -H ${json} --data-binary @- http://docker${path} >&2`
}

/** The probe that everything about the daemon and its place in the swarm rests on: one text, so that it runs once. */
export const dockerInfo: Sh = dockerGet('/info')

/** The answer to `dockerInfo`; undefined when no daemon answers, or Docker or curl is not installed. */
export function readInfo(seen: Seen): DockerInfo | undefined {
  if (seen.code !== 0) return undefined
  const info = parseJson(seen.stdout)
  return isInfo(info) ? info : undefined
}

/** JSON, or undefined where the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Prints the ids of the containers of a stack's service here, those that run. `flags` are of `docker ps`. */
export function containersOf(stack: string, service: string, flags: readonly string[] = []): Sh {
  const label = `label=com.docker.swarm.service.name=${stack}_${service}`
  return sh`docker ps ${['--quiet', ...flags]} --filter ${label}`
}

/** What to do when no daemon answers: start it. In check mode on a host without Docker it says what is missing. */
export function startDocker(): Change {
  return {
    diff: '- no Docker daemon answers on /run/docker.sock\n+ the Docker daemon answers',
    uncertain: true,
    apply: start('docker'),
  }
}

/**
 * Docker's daemon answers; it is started if need be, and waited for up to a minute. One that hangs is not ended.
 *
 * @see https://docs.docker.com/reference/api/engine/ (GET /_ping)
 * @example dockerRunning()
 */
export function dockerRunning(common: Common = {}): Resource {
  return resource(
    {
      title: 'docker answers',
      probe: dockerGet('/_ping'),
      settle: 60,
      plan(seen) {
        if (seen.stdout.trim() === 'OK') return undefined
        const hangs = '- the Docker daemon runs, and gives no answer within 20 s\n+ the Docker daemon answers'
        return seen.code === 28 ? { ...startDocker(), diff: hangs } : startDocker()
      },
    },
    common,
  )
}

function isInfo(value: unknown): value is DockerInfo {
  return typeof value === 'object' && value !== null && 'Swarm' in value && 'ServerVersion' in value
}
