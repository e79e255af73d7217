import { BrambleError } from '../errors.ts'
import type { Host } from '../inventory/index.ts'
import {
  figure,
  longestGap,
  longestWait,
  noneFailed,
  onlyMirrored,
  servedAgain,
  type Bound,
} from './bounds.ts'
import { fewManagers, noShare, noWebServerOnly, oneBalancer, webServerOnly, type Unfit } from './fit.ts'
import {
  giveVipBack,
  hang,
  holderAway,
  kill,
  leaderOf,
  newContent,
  rebootEach,
  redeploy,
  releaseVip,
  vipHolder,
} from './steps.ts'
import type { Stage } from './stage.ts'

/** Something that happens to a cluster, and what its clients may see of it at most. */
export interface Drill {
  name: string
  title: string
  /** What has to be pulled: only in the lab is there somebody to do it. */
  needs?: 'power' | 'cable'
  /** What a cluster may lack for it. */
  unfit?: Unfit
  bounds: readonly Bound[]
  run(stage: Stage): Promise<void>
}

const OUTAGE = 60

/**
 * All drills, in the order that `--all` runs them. The bounds are for virtual Pis without hardware acceleration, which
 * are slower than any real one.
 */
export const catalogue: readonly Drill[] = [
  {
    name: 'calm',
    title: `Nothing done for ${OUTAGE} s, to compare the others with`,
    bounds: [noneFailed()],
    async run(stage) {
      stage.mark('note', 'nothing done')
      await stage.hold(OUTAGE)
      await stage.whole()
    },
  },
  {
    name: 'haproxy-kill',
    title: 'HAProxy killed (-9) on the holder of the virtual IP',
    bounds: [longestGap(2000)],
    run: async (stage) => kill(stage, await vipHolder(stage), 'haproxy'),
  },
  {
    name: 'keepalived-kill',
    title: 'Keepalived killed (-9) on the holder of the virtual IP',
    bounds: [longestGap(1500)],
    run: async (stage) => kill(stage, await vipHolder(stage), 'keepalived'),
  },
  {
    name: 'nginx-kill',
    title: 'Nginx killed (-9) on each node, one after another',
    bounds: [noneFailed()],
    async run(stage) {
      for (const host of stage.cluster.group('webservers')) await kill(stage, host, 'nginx')
    },
  },
  {
    name: 'vip-power',
    title: 'Power of the holder of the virtual IP cut',
    needs: 'power',
    unfit: oneBalancer,
    bounds: [longestGap(1500)],
    run: (stage) => holderAway(stage, (holder) => stage.cutPower(holder)),
  },
  {
    name: 'vip-cable',
    title: 'Cable of the holder of the virtual IP pulled, then plugged in again',
    needs: 'cable',
    unfit: oneBalancer,
    bounds: [longestGap(1500), longestGap(500, { from: 'return' })],
    run: (stage) => holderAway(stage, (holder) => stage.pullCable(holder)),
  },
  {
    name: 'web-power',
    title: 'Power of a web server cut',
    needs: 'power',
    unfit: noWebServerOnly,
    bounds: [noneFailed({ from: 'down', after: 2000 }), longestWait(2500)],
    async run(stage) {
      const host = needed(webServerOnly(stage.cluster))
      const back = await stage.cutPower(host)
      await stage.hold(20)
      await back()
      await stage.whole()
    },
  },
  {
    name: 'leader-power',
    title: 'Power of the swarm’s leader cut, while it does not hold the virtual IP',
    needs: 'power',
    unfit: fewManagers,
    bounds: [noneFailed({ from: 'down' })],
    async run(stage) {
      const leader = await leaderOf(stage)
      const holds = leader === (await vipHolder(stage))
      if (holds) await releaseVip(stage, leader)
      const back = await stage.cutPower(leader)
      await stage.until('another leader', 120, async () => {
        const { nodes } = await stage.look()
        return nodes.some(({ name, leader: leads }) => leads && name !== leader.name)
      })
      await back()
      if (holds) await giveVipBack(stage, leader)
      await stage.whole()
    },
  },
  {
    name: 'redeploy',
    title: 'Three rolling redeploys of HAProxy, of Nginx and of Keepalived',
    bounds: [noneFailed()],
    async run(stage) {
      for (const service of ['haproxy', 'nginx', 'keepalived']) {
        for (let round = 1; round <= 3; round += 1) await redeploy(stage, service, round)
      }
    },
  },
  {
    name: 'reboot-all',
    title: 'Every node rebooted, one after another, each taken out of service before',
    bounds: [longestGap(1500), noneFailed()],
    run: rebootEach,
  },
  {
    name: 'nfs-power',
    title: `Power of the NFS server cut for ${OUTAGE} s`,
    needs: 'power',
    unfit: noShare,
    bounds: outlived(),
    async run(stage) {
      const server = nfsServer(stage)
      const back = await stage.cutPower(server)
      await stage.hold(OUTAGE)
      await newContent(stage, server, back)
      await stage.whole()
    },
  },
  {
    name: 'nfs-hang',
    title: `NFS server silent for ${OUTAGE} s: its packets are dropped`,
    unfit: noShare,
    bounds: outlived(),
    async run(stage) {
      const server = nfsServer(stage)
      const back = await hang(stage, server, OUTAGE + 120)
      await stage.hold(OUTAGE)
      await newContent(stage, server, back)
      await stage.whole()
    },
  },
  {
    name: 'all-off',
    title: 'All nodes off, then on',
    needs: 'power',
    bounds: [figure('serves again', 600)],
    async run(stage) {
      const back = await stage.cutPower(...stage.cluster.hosts)
      await stage.hold(5)
      const since = Date.now()
      await back()
      stage.figures['serves again'] = ((await stage.answered(since, 600)) - since) / 1000
      await stage.whole()
    },
  },
]

/** What the site may show of an outage of its share, which the mirrors stand in for. */
function outlived(): Bound[] {
  return [
    longestGap(5000),
    longestWait(5000),
    noneFailed({ from: 'down', after: 5000 }),
    onlyMirrored({ from: 'down', after: 5000, until: 'back' }),
    servedAgain(10),
    figure('new content seen', 10),
  ]
}

function nfsServer({ cluster }: Stage): Host {
  return needed(cluster.group('nfs_server')[0])
}

/** A drill is not run where it does not fit. */
function needed(host: Host | undefined): Host {
  if (host) return host
  throw new BrambleError('this drill does not fit the cluster')
}
