import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cut, heal, kill, labDown, labUp, start } from '../../src/lab/lab.ts'
import { changedSince, snapshot } from '../snapshot.ts'
import { ended, watched, type Watched } from '../watched.ts'
import { apply, changes, on, type Summary } from './cluster.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const nodes = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const minute = 60_000

/** What happens in the middle of a first run. */
export const disasters = ['the program is killed', 'the network cable is pulled', 'the power is cut'] as const
export type Disaster = (typeof disasters)[number]

/** Directories that a cluster at rest writes to: Docker's, which keeps a log of the swarm, those of NFS and the clock. */
const busy = [
  '/var/lib/docker',
  '/var/lib/containerd',
  '/run/docker',
  '/run/containerd',
  '/var/lib/nfs',
  '/var/lib/systemd/timesync',
  '/run/systemd/timesync',
]

/** What a run has brought about on a node, as text that is the same for every cluster of these four. */
const ofNode = `cd /
cat etc/docker/daemon.json etc/fstab etc/sysctl.d/60-bramble.conf etc/exports.d/* 2>/dev/null
sysctl net.ipv4.ip_nonlocal_bind net.ipv4.tcp_migrate_req
awk '$2 ~ "^/srv" { print $1, $2, $3 }' proc/self/mounts
for unit in docker nfs-server; do systemctl is-enabled $unit; systemctl is-active $unit; done 2>/dev/null
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\n'
dpkg --audit
docker image ls --format '{{.Repository}}:{{.Tag}} {{.ID}}' | sort
cat srv/nfs/share/index.html 2>/dev/null
[ ! -d opt/bramble ] || find opt/bramble -type f ! -name .deployed.json -exec sha256sum {} + | sort
echo "pending: $(ls -A var/lib/bramble/pending 2>/dev/null)"
echo "left over: $(find / -xdev -name '.bramble-*')"`

/** The same of the swarm: its nodes, with labels and roles, and the services of the stack. */
const ofSwarm = `docker node ls -q | xargs docker node inspect -f '{{.Description.Hostname}} {{.Spec.Role}} {{.Spec.Availability}} {{.Status.State}} {{json .Spec.Labels}}' | sort
docker service ls --format '{{.Name}} {{.Image}} {{.Replicas}}' | sort
docker config ls --format '{{.Name}}' | sort`

/** What there is on all nodes and in the swarm. */
export async function stateOfAll(): Promise<Record<string, string>> {
  const each = await Promise.all(nodes.map(async (node) => [node, await on(node, ofNode)]))
  return { ...Object.fromEntries(each), swarm: await on('rpi1', ofSwarm) }
}

/** Four fresh Pis; all that there was is gone. */
export async function freshPis(): Promise<void> {
  await labDown()
  await labUp({ count: nodes.length }, () => undefined)
}

/**
 * A first run on fresh Pis, in the middle of which something happens to one of them. Whatever goes by itself goes on:
 * the program, unless it is killed, has to end within its deadlines.
 *
 * @param lot numbers from 0 to below 1: whom it happens to, and when
 * @param usual what a whole run is, by its summary
 * @returns what happened, in words
 */
export async function disturbedRun(disaster: Disaster, lot: () => number, usual: Summary): Promise<string> {
  const victim = nodes[Math.floor(lot() * nodes.length)] ?? ''
  const { ok = 0, changed = 0 } = usual.hosts[victim] ?? {}
  const after = 1 + Math.floor(lot() * (ok + changed - 1))
  const pause = lot() * 10_000
  await freshPis()
  let seen = 0
  let happened: Promise<void> | undefined
  const ran = await watched(['apply', '-i', 'inventory/lab', '-o', 'json'], root, (event, child) => {
    if (event.type === 'task' && event.host === victim) seen += 1
    if (seen < after) return
    happened ??= (async () => {
      await delay(pause)
      if (disaster === 'the program is killed') child.kill('SIGKILL')
      else await (disaster === 'the power is cut' ? kill : cut)(victim)
      await ended(child, 20 * minute)
      child.kill('SIGKILL')
    })()
  })
  await happened
  if (disaster === 'the network cable is pulled') await heal(victim)
  if (disaster === 'the power is cut') await start(victim)
  if (disaster !== 'the program is killed') {
    assert.notEqual(ran.code, null, `the run did not end by itself: ${told(ran)}`)
  }
  return `${disaster}, ${Math.round(pause)} ms after task ${after} of ${victim}; the run ended with ${ran.code}`
}

function told({ events, stderr }: Watched): string {
  return `${events.map((event) => JSON.stringify(event)).join('\n')}\n${stderr}`
}

/** Ends when the mirror of a node has been refreshed once more. */
const refreshed = `file=/run/bramble/content.refreshed
before=$(stat -c %Y $file)
tries=0
until [ "$(stat -c %Y $file)" != "$before" ]; do
  [ $tries -lt 180 ] || { echo 'the mirror is not refreshed' >&2; exit 1; }
  sleep 1; tries=$((tries + 1))
done`

/** The files of each node that a converged run wrote: those that change meanwhile but not when nothing is done. */
export async function writtenByRerun(): Promise<Record<string, string[]>> {
  const taken = snapshot(busy)
  const between = async (work: () => Promise<unknown>): Promise<string[][]> => {
    await Promise.all(nodes.map((node) => on(node, `${taken} >/dev/shm/before`)))
    await work()
    const changed = await Promise.all(nodes.map((node) => on(node, changedSince(taken))))
    return changed.map((lines) => [...lines.matchAll(/^[<>] (\S+)/gm)].map(([, path = '']) => path))
  }
  // Mirrors are refreshed once a minute, whether anybody runs something or not.
  const atRest = await between(() => Promise.all(nodes.map((node) => on(node, refreshed))))
  const meanwhile = await between(async () => {
    const { code, events, summary, stdout } = await apply()
    assert.equal(code, 0, stdout)
    assert.deepEqual([changes(events), summary.wrote], [{}, false])
  })
  return Object.fromEntries(
    nodes.map((node, index) => {
      const others = new Set(atRest[index])
      return [node, [...new Set(meanwhile[index])].filter((path) => !others.has(path))]
    }),
  )
}
