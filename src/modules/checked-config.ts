import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { lines, raw, sh, type Sh } from '../playbook/sh.ts'
import { absolutePath, fileText, matching, printed } from './check.ts'
import { imageName } from './image-found.ts'
import { look, parseLook } from './look.ts'
import { write } from './write.ts'

export interface CheckedConfigOptions extends Omit<Common, 'becomeUser'> {
  text: string
  /** The template that the text comes from, as the error shall name it. */
  template: string
  image: string
  /** What tells two images of that name apart, where it is known. Default none. */
  revision?: string
  /** Where the image has the file. */
  path: string
  /** The program of the image that checks it, with its arguments; exits with 0 if it takes the file. */
  command: readonly [string, ...string[]]
  /**
   * `host`: that of the host, for a check that looks at interfaces or asks for names; default. `bridge`: one of its own,
   * for a check that opens ports.
   */
  network?: 'host' | 'bridge'
}

const checked = '/var/lib/bramble/checked'
/** In memory, because a configuration may hold a password. */
const candidates = '/run/bramble/check'

/**
 * A configuration that the program takes which shall run with it: a container of its image is asked, and thrown away.
 * What it took once, it is not asked again: the host keeps a hash of configuration and image in
 * `/var/lib/bramble/checked`. The file itself is put nowhere.
 *
 * Errors: the program's own words, the lines that they name, and the template; those of `docker run`.
 *
 * @see https://docs.docker.com/reference/cli/docker/container/run/
 * @example
 * checkedConfig({
 *   text: 'events {}\n',
 *   template: 'templates/nginx.conf.ejs',
 *   image: 'nginx:1.28-alpine',
 *   path: '/etc/nginx/nginx.conf',
 *   command: ['nginx', '-t'],
 *   network: 'bridge',
 * })
 */
export function checkedConfig(options: CheckedConfigOptions): Resource {
  const { text, revision = '', command } = options
  const image = imageName(options.image)
  const name = matching(
    basename(absolutePath(options.path)),
    /^[\w.-]+$/,
    'a file name of letters and digits',
  )
  const stamp = `${checked}/${name}`
  const wanted = hash([image, revision, options.path, command, fileText(text)])
  const takes = `${image} takes ${name}`
  return resource(
    {
      title: takes,
      probe: look(stamp, 'text'),
      plan(seen) {
        if (parseLook(printed(seen, stamp)).rest === `${wanted}\n`) return undefined
        const content = Buffer.from(text)
        const candidate = write({ path: `${candidates}/${name}`, content, owner: 'root', mode: '0644' })
        const note = write({ path: stamp, content: Buffer.from(`${wanted}\n`), owner: 'root', mode: '0600' })
        const apply = lines(
          sh`umask 077; mkdir -p ${checked} ${candidates}`,
          sh`trap 'rm -rf -- ${candidates}' EXIT; trap 'exit 143' HUP INT TERM`,
          candidate.apply,
          ask({ ...options, image }, name),
          note.apply,
        )
        return { ...candidate, diff: `+ ${takes}`, apply }
      },
    },
    options,
  )
}

function ask({ image, path, command, template, network = 'host' }: CheckedConfigOptions, name: string): Sh {
  const [program, ...rest] = command
  const volume = `${candidates}/${name}:${path}:ro`
  const refused = `${name} comes from ${template} and the inventory. Nothing has been replaced.`
  const unasked = `${image} could not be asked about ${name}. Nothing has been replaced.`
  const candidate = `${candidates}/${name}`
  // haproxy.cfg:12 with HAProxy and nginx, keepalived.conf: Line 12 with Keepalived.
  const numbered = `s/.*${name.replaceAll('.', '\\.')}:\\( Line \\)\\{0,1\\}\\([0-9]\\{1,\\}\\).*/\\2/p`
  return sh`said=$(docker run --rm --network ${network} --volume ${volume} --entrypoint ${program} ${image} ${rest} 2>&1) || {
  code=$?
  ${reasons} >&2
  for number in $(printf '%s\\n' "$said" | sed -n ${numbered} | sort -nu | head -n 3); do
    sed -n "$number{s/^/${name}, line $number: /;p;}" ${candidate} >&2
  done
  # Docker's own codes: https://docs.docker.com/reference/cli/docker/container/run/#exit-status
  if [ "$code" -lt 125 ]; then echo ${refused} >&2; else echo ${unasked} >&2; fi
  exit 1
}`
}

/** HAProxy has levels: what it only minds is not why it refuses. */
const reasons = raw(`printf '%s\\n' "$said" | { grep -v -e '^\\[NOTICE' -e '^\\[WARNING' || :; } | head -n 4`)

function hash(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
