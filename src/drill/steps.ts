import { randomBytes } from 'node:crypto'
import { BrambleError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import { containersOf } from '../modules/docker.ts'
import { reboot } from '../modules/reboot.ts'
import { backInService, outOfService } from '../nodes/service.ts'
import { vipAway } from '../nodes/vip.ts'
import { play } from '../playbook/play.ts'
import { sh } from '../playbook/sh.ts'
import { LOOK, type Back, type Stage } from './stage.ts'

export async function vipHolder(stage: Stage): Promise<Host> {
  const { holders } = (await stage.look()).vip
  return hostOf(stage, holders[0], 'nobody holds the virtual IP')
}

export async function leaderOf(stage: Stage): Promise<Host> {
  const leader = (await stage.look()).nodes.find((node) => node.leader)
  return hostOf(stage, leader?.name, 'the swarm has no leader')
}

function hostOf({ cluster }: Stage, name: string | undefined, otherwise: string): Host {
  const host = cluster.hosts.find((one) => one.name === name)
  if (host) return host
  throw new BrambleError(otherwise, { next: 'bramble status' })
}

/** Takes the holder of the virtual IP away, puts it back once another one has the address, and sees that return. */
export async function holderAway(stage: Stage, cut: (holder: Host) => Promise<Back>): Promise<void> {
  const holder = await vipHolder(stage)
  const back = await cut(holder)
  await stage.until('another holder of the virtual IP', 60, async () => {
    const { holders } = (await stage.look()).vip
    return holders.some((name) => name !== holder.name)
  })
  await back()
  let away = Date.now()
  const returned = async () => {
    const asked = Date.now()
    const { holders } = (await stage.look()).vip
    const here = holders.join() === holder.name
    if (!here) away = asked
    return here
  }
  await stage.until(`the virtual IP to return to ${holder.name}`, 300, returned, LOOK)
  stage.mark('return', `virtual IP returns to ${holder.name}`, [], away)
  await stage.whole()
}

/** Ends a service's process on a host, which has no time to say goodbye, and waits until all is well again. */
export async function kill(stage: Stage, host: Host, service: string): Promise<void> {
  const ids = containersOf(stage.cluster.settings.stack.name, service)
  const running = async () => {
    const list = sh`for id in $(${ids}); do docker inspect -f '{{.State.Pid}}' $id; done`
    return (await stage.run(host, list)).split('\n').filter((pid) => /^[1-9]\d*$/.test(pid))
  }
  const before = await running()
  if (before.length === 0) throw new BrambleError(`${service} does not run`, { host: host.name })
  stage.mark('down', `${service} of ${host.name} killed`)
  await stage.run(host, sh`kill -9 ${before}`)
  await stage.until(`another ${service} on ${host.name}`, 300, async () =>
    (await running()).some((pid) => !before.includes(pid)),
  )
  await stage.whole()
}

/** Another load balancer takes the virtual address over, deliberately. */
export async function releaseVip(stage: Stage, holder: Host): Promise<void> {
  stage.mark('note', `virtual IP away from ${holder.name}`)
  await stage.play('virtual IP away', vipAway(holder, stage.cluster))
}

/** As deliberately: a preferred holder that takes it by itself, after preempt_delay, ends the requests under way. */
export async function giveVipBack(stage: Stage, holder: Host): Promise<void> {
  await stage.play(`${holder.name} in service`, backInService(holder, stage.cluster))
  stage.mark('note', `virtual IP back to ${holder.name}`)
}

/** New containers for all of a service, as a new image or configuration would bring about. */
export async function redeploy(stage: Stage, service: string, round: number): Promise<void> {
  const { cluster } = stage
  const [manager] = cluster.group('managers')
  if (!manager) throw new BrambleError('this cluster has no managers')
  const name = `${cluster.settings.stack.name}_${service}`
  stage.mark('down', `redeploy ${round} of ${service}`)
  await stage.run(
    manager,
    sh`docker service update --force --detach=false --quiet ${name} >/dev/null`,
    cluster.settings.stack.deploy_timeout,
  )
  await stage.whole()
}

/** As an upgrade does it: the load balancers last, each node taken out of service before and back into it after. */
export async function rebootEach(stage: Stage): Promise<void> {
  const { cluster } = stage
  const balancers = cluster.group('loadbalancers')
  const others = cluster.hosts.filter((host) => !balancers.includes(host))
  for (const host of [...others, ...balancers.toReversed()]) {
    stage.mark('note', `${host.name} out of service`)
    const back = stage.undo(`${host.name} in service`, () =>
      stage.play(`${host.name} in service`, backInService(host, cluster)),
    )
    await stage.play(`${host.name} out of service`, outOfService(host, cluster))
    await stage.run(host, sh`touch ${MARKER}`)
    stage.mark('down', `${host.name} reboots`)
    await stage.play(`reboot of ${host.name}`, [rebooted(host)])
    await back()
    await stage.whole()
  }
}

const MARKER = '/run/bramble-drill'

function rebooted(host: Host) {
  return play({
    name: `reboot ${host.name}`,
    hosts: host.name,
    critical: true,
    tasks: () => [reboot({ reason: 'a drill', marker: MARKER })],
  })
}

/** The server's packets are dropped; should nobody take the rule away, it goes by itself after so many seconds. */
export async function hang(stage: Stage, server: Host, seconds: number): Promise<Back> {
  const rule = ['INPUT', '-p', 'tcp', '--dport', 2049, '-j', 'DROP']
  // Another drill's rule is the same: this one's time is over once its file has gone.
  const marker = `/run/bramble-hang-${randomBytes(4).toString('hex')}`
  const answer = stage.undo(`packets to ${server.name}`, async () => {
    await stage.run(server, sh`rm -f ${marker}; iptables -w -D ${rule} 2>/dev/null || :`)
  })
  stage.mark('down', `NFS server ${server.name} silent`, [server])
  await stage.run(
    server,
    sh`: >${marker}
iptables -w -I ${rule}
(sleep ${seconds}; rm ${marker} && iptables -w -D ${rule}) </dev/null >/dev/null 2>&1 &`,
  )
  return (kind) => stage.putBack(`packets to ${server.name} no longer dropped`, answer, kind)
}

/**
 * Puts the NFS server back, and sees how long it takes from when it answers again, and a file in the share is new,
 * until the other web servers show that file.
 */
export async function newContent(stage: Stage, server: Host, back: Back): Promise<void> {
  const { nfs, nginx } = stage.cluster.settings
  // Its own Nginx has to start first, and until then gets no requests.
  const others = stage.cluster.group('webservers').filter((host) => host !== server)
  const [client] = others
  if (!client) throw new BrambleError('no web server but the NFS server itself')
  const connect = sh`if timeout 2 bash -c ${`</dev/tcp/${server.address}/2049`} 2>/dev/null; then echo open; fi`
  const answers = stage
    .until(`NFS of ${server.name}`, 600, async () => (await stage.run(client, connect)).includes('open'))
    .then(() => stage.mark('back', `NFS server ${server.name} answers`).at)
  const [answered] = await Promise.all([answers, back('note')])
  const text = randomBytes(8).toString('hex')
  const path = `${nfs.export}/bramble-drill.txt`
  const remove = stage.undo(path, async () => {
    await stage.run(server, sh`rm -f ${path}`)
  })
  await stage.run(server, sh`echo ${text} >${path}`)
  const since = Math.max(answered, stage.mark('note', 'new file in the share').at)
  const url = `http://127.0.0.1:${nginx.port}/bramble-drill.txt`
  await stage.until('the new file on the other web servers', 300, async () => {
    const read = sh`curl -s -m 5 ${url} || :`
    const texts = await Promise.all(others.map((host) => stage.run(host, read)))
    return texts.every((seen) => seen.trim() === text)
  })
  stage.figures['new content seen'] = (stage.mark('note', 'new file seen').at - since) / 1000
  await remove()
}
