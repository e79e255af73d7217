import { BrambleError } from '../../src/errors.ts'
import { loadInventory } from '../../src/inventory/index.ts'
import { inNamespace } from '../../src/lab/lab.ts'
import { run } from '../../src/lab/run.ts'
import { ensurePackages } from '../packages.ts'
import { mirrorDirectory } from '../../src/stack/model.ts'
import { percent, processorTime, since } from './machine.ts'
import { measure, median } from './measure.ts'
import { program } from './tools.ts'

/** Bytes of the files that are fetched, and how many clients fetch one at the same time. */
const files = [
  { name: 'small', bytes: 1000, clients: 16 },
  { name: 'large', bytes: 1 << 20, clients: 4 },
] as const

/** Seconds that one way is measured in a round. */
const seconds = 10
const directory = '/srv/bramble-bench'
const port = 8090

/**
 * What the lab's stack serves through VIP, HAProxy, Nginx and NFS, beside one Nginx on its local disk: as many requests
 * as a few clients get answered who ask again at once. Between these two is one Nginx on the share, without HAProxy.
 * Needs `bramble lab up` and `bramble apply -i inventory/lab` before. Returns a table in Markdown.
 */
export async function load(rounds: number, log: (line: string) => void): Promise<string> {
  await ensurePackages({ wrk: 'wrk' })
  const { hosts, settings } = await loadInventory('inventory/lab')
  const [server] = hosts.filter((host) => host.in('nfs_server'))
  // Neither busy with HAProxy nor with NFS for the others.
  const [node] = hosts.filter((host) => !host.in('nfs_server') && !host.in('loadbalancers'))
  if (!server || !node)
    throw new BrambleError('the lab has no NFS server, or no node that is just a web server')
  const ways = {
    local: `http://${node.address}:${port}/`,
    share: `http://${node.address}:${settings.nginx.port}/bramble-bench/`,
    site: `http://${settings.vip.address}/bramble-bench/`,
  }
  await on(server.name, makeFiles(`${settings.nfs.export}/bramble-bench`))
  await on(
    node.name,
    `${makeFiles(directory)} && ${startLocal(settings.images.nginx, mirrorDirectory(settings.nfs))}`,
  )
  try {
    const rows: string[] = []
    for (const { name, clients } of files) {
      const served: Served = { local: [], share: [], site: [] }
      for (let round = 1; round <= rounds; round += 1) {
        for (const way of wayNames) {
          const one = await serve(`${ways[way]}${name}`, clients)
          served[way].push(one)
          log(`${name}, round ${round}, ${way}: ${one.rate.toFixed(1)} requests a second`)
        }
      }
      rows.push(rowsOf(name, served))
    }
    return `${head}${rows.join('')}`
  } finally {
    await on(node.name, `docker rm -f bramble-bench >/dev/null; rm -rf ${directory}`)
    await on(server.name, `rm -rf ${settings.nfs.export}/bramble-bench`)
  }
}

const wayNames = ['local', 'share', 'site'] as const

interface Measured {
  /** Requests a second. */
  rate: number
  /** Milliseconds of the computer's processors for one request, those of the client among them. */
  cost: number
  /** How much of their time the processors worked, of 1. */
  busy: number
}
type Served = Record<(typeof wayNames)[number], Measured[]>

const head = `| file | measured | ${wayNames.join(' | ')} | share / local | site / local |\n| --- | --- | --- | --- | --- | --- | --- |\n`

function number(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}

/** Medians, and in brackets least and most. */
function rowsOf(name: string, served: Served): string {
  const row = (what: string, key: keyof Measured, text: (value: number) => string): string => {
    const of = (way: keyof Served): number[] => served[way].map((one) => one[key])
    const cells = wayNames.map((way) => {
      const [least, most] = [Math.min(...of(way)), Math.max(...of(way))]
      return `${text(median(of(way)))} (${text(least)}–${text(most)}, ${of(way).length})`
    })
    const ratios = (['share', 'site'] as const).map((way) => median(of(way)) / median(of('local')))
    return `| ${[name, what, ...cells, ...ratios.map((ratio) => ratio.toFixed(2))].join(' | ')} |\n`
  }
  return [
    row('requests a second', 'rate', number),
    row('processor time a request', 'cost', (value) => `${number(value)} ms`),
    row('processors busy', 'busy', percent),
  ].join('')
}

/** Errors: BrambleError when an answer was none, or another than 200. */
async function serve(url: string, clients: number): Promise<Measured> {
  const words = ['wrk', '-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '10s', url]
  const before = processorTime()
  const { stdout } = await measure({ words: inNamespace(words) })
  const { busy, all } = since(before)
  const rate = Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(stdout)?.[1] ?? Number.NaN)
  const count = Number(/^\s+(\d+) requests in /m.exec(stdout)?.[1] ?? Number.NaN)
  if (rate > 0 && count > 0 && !/Non-2xx|Socket errors/.test(stdout))
    return { rate, cost: busy / count, busy: busy / all }
  throw new BrambleError(`${url} was not served`, { found: stdout })
}

/** One file of each size, of random bytes. */
function makeFiles(path: string): string {
  const each = files.map(({ name, bytes }) => `head -c ${bytes} /dev/urandom >${path}/${name}`)
  return [`mkdir -p ${path}`, ...each, `chmod -R a+rX ${path}`].join(' && ')
}

/**
 * The node's own Nginx once more, with the configuration that it has but for port and directories, until it answers. As
 * on the node, a file of the mirror's directory says that not the mirror is served.
 */
function startLocal(image: string, mirror: string): string {
  const config = `docker exec "$(docker ps -q -f name=ha-stack_nginx)" cat /etc/nginx/nginx.conf`
  const edits = [
    `s,listen +[0-9]+,listen ${port},`,
    `s,root +[^;]+,root ${directory},`,
    `s,${mirror},${directory},`,
  ]
  const edit = `sed -E '${edits.join('; ')}' >${directory}/nginx.conf`
  const flags = `--name bramble-bench --network host -v ${directory}:${directory}:ro -v ${directory}/nginx.conf:/etc/nginx/nginx.conf:ro`
  const answers = `curl -fsS -o /dev/null http://127.0.0.1:${port}/small`
  return `touch ${directory}/nfs && ${config} | ${edit} && docker run -d ${flags} ${image} && tries=0 && until ${answers}; do tries=$((tries + 1)); [ $tries -lt 150 ] || exit 1; sleep 0.2; done`
}

/** A command on one Pi, as root; what it printed. */
function on(host: string, command: string): Promise<string> {
  return run([process.execPath, program, 'exec', host, '-i', 'inventory/lab', '--', 'sh', '-c', command])
}
