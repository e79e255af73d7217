/** A web server in namespaces of its own: nginx of the lab's image, and the service that keeps the mirror. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { templates } from '../src/cli/project.ts'
import { firstPage } from '../playbooks/nfs.ts'
import { attempt, run } from '../src/lab/run.ts'
import { until } from '../src/lab/wait.ts'
import { renderTemplate } from '../src/modules/template.ts'
import { mirrorDirectory } from '../src/stack/model.ts'
import { startWatch, type Answer, type Watch } from './watch.ts'

const template = templates(join(import.meta.dirname, '..'))

export interface MirrorHost {
  /** What the NFS server has: the share is this directory behind a file system in user space. */
  content: string
  mirror: string
  /** What the service says in its state file, by key. */
  state(): Record<string, string>
  ask(path: string): Promise<Answer>
  watch(...paths: string[]): Promise<Watch>
  /** The server: `hang`s without a word, `die`s, is `back`. */
  server(does: 'hang' | 'die' | 'back'): Promise<void>
  /** Takes the mount away, as a shutdown does. */
  unmount(): Promise<void>
  /** Ends the service and starts it again, by SIGKILL as a power cut would. */
  restart(meanwhile?: () => void): Promise<void>
  log(): string
  stop(): Promise<void>
}

export interface Settings {
  refresh_interval?: number
  max_size_mb?: number
}

/**
 * Starts both. The share is mounted by the service itself, with a `systemctl` that knows this mount only.
 *
 * @example const host = await startMirrorHost('/…/images', { 'index.html': 'one' })
 */
export async function startMirrorHost(
  images: string,
  files: Readonly<Record<string, string>>,
  settings: Settings = {},
): Promise<MirrorHost> {
  // In memory: a disk that is busy with something else would hold up who writes the site.
  const directory = mkdtempSync('/dev/shm/bramble-mirror-')
  const at = (...names: string[]) => join(directory, ...names)
  for (const name of ['srv/share', 'content', 'root', 'bin', 'run']) mkdirSync(at(name), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(at('content', name), text)
  const mount = at('srv/share')
  const mirror = mirrorDirectory({ mount })
  await run(['chmod', '755', directory])
  await unpackImage(join(images, 'bramble-nginx.tar'), at('root'))
  const conf = render('nginx.conf.ejs', { nginx: { port: 80 }, nfs: { mount }, mirror, loadbalancers: [] })
  writeFileSync(at('root/etc/nginx/nginx.conf'), conf)
  const all = { refresh_interval: 1, answer_timeout: 2, max_size_mb: 100, ...settings, directory: mirror }
  const script = {
    nfs: { mount },
    server: '',
    first_page: firstPage,
    mirror: all,
    preflight: { min_free_disk_mb: 100 },
  }
  writeFileSync(at('content.sh'), render('content.sh.ejs', script))
  writeFileSync(at('bin/systemctl'), systemctl(directory), { mode: 0o755 })
  writeFileSync(join(mount, '.bramble-not-mounted'), '')
  writeFileSync(at('up'), '')
  writeFileSync(at('start.sh'), start(directory))

  const words = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', at('start.sh')]
  const machine = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(machine.stdout, 'data')
  const init = readFileSync(`/proc/${machine.pid}/task/${machine.pid}/children`, 'utf8').trim()
  const inside = (command: string) =>
    attempt(['nsenter', '-t', init, '--mount', '--net', '--pid', 'sh', '-c', command])
  const namespace = `/proc/${init}/ns/net`
  const service = await startService(inside, directory)

  const host: MirrorHost = {
    content: at('content'),
    mirror,
    state: () => (existsSync(at('run/content')) ? readState(at('run/content')) : {}),
    watch: (...paths) =>
      startWatch(
        namespace,
        paths.map((path) => `http://127.0.0.1${path}`),
      ),
    async ask(path) {
      const watch = await startWatch(namespace, [`http://127.0.0.1${path}`])
      const [answer] = await watch.stop()
      if (!answer) throw new Error(`no answer for ${path}`)
      return answer
    },
    async server(does) {
      if (does === 'back') return writeFileSync(at('up'), '')
      rmSync(at('up'))
      const signal = does === 'hang' ? 'STOP' : 'KILL'
      await inside(`kill -${signal} $(cat ${at('bindfs.pid')})`)
    },
    async unmount() {
      await inside(`umount -l ${mount}`)
    },
    async restart(meanwhile) {
      await inside(`kill -s KILL -- -$(cat ${at('service.pid')})`)
      meanwhile?.()
      await service()
    },
    log: () => readFileSync(at('service.log'), 'utf8'),
    async stop() {
      await end(machine)
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return host
}

async function startService(inside: (command: string) => Promise<unknown>, directory: string) {
  const begin = async () => {
    const before = existsSync(join(directory, 'run/content.asked'))
    if (before) rmSync(join(directory, 'run/content.asked'))
    await inside(
      `PATH=${directory}/bin:$PATH setsid sh ${directory}/content.sh ${directory}/run/content >>${directory}/service.log 2>&1 </dev/null & echo $! >${directory}/service.pid`,
    )
    await until('the service to ask', 10_000, () => existsSync(join(directory, 'run/content.asked')))
  }
  await begin()
  return begin
}

/** As Docker does: the directory of the mount is bound into the root of nginx, as a slave. */
function start(directory: string): string {
  return `set -e
ip link set lo up
cd ${directory}
mount --bind srv srv
mount --make-shared srv
mkdir -p root${directory}/srv root/dev root/proc
mount --rbind srv root${directory}/srv
mount --make-rslave root${directory}/srv
mount --rbind /dev root/dev
mount --rbind /proc root/proc
chroot root /usr/sbin/nginx -g 'daemon on;' 2>${directory}/nginx.log
echo started
exec cat >/dev/null
`
}

function render(name: string, variables: Readonly<Record<string, unknown>>): string {
  return renderTemplate(template(name), variables)
}

/** A file system in user space: when its process is stopped, whoever asks it hangs and cannot be killed. */
function systemctl(directory: string): string {
  return `#!/bin/sh
[ "$1" = start ] && [ -e ${directory}/up ] || exit 1
setsid bindfs -f -o nonempty,attr_timeout=0,entry_timeout=0,negative_timeout=0 ${directory}/content ${directory}/srv/share >/dev/null 2>&1 </dev/null &
echo $! >${directory}/bindfs.pid
until grep -q " ${directory}/srv/share " /proc/self/mounts; do kill -0 $! || exit 1; done
`
}

async function unpackImage(archive: string, root: string): Promise<void> {
  const manifest = JSON.parse(await run(['tar', '-xOf', archive, 'manifest.json'])) as { Layers: string[] }[]
  for (const layer of manifest[0]?.Layers ?? [])
    await run(['sh', '-c', `tar -xOf "$1" "$2" | tar -x -C "$3"`, 'sh', archive, layer, root])
}

function readState(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return Object.fromEntries(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
