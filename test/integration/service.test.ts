import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/lab/run.ts'
import { until } from '../../src/lab/wait.ts'
import { inOrder } from '../in-order.ts'
import { seed } from '../random.ts'
import { lightSite, names, vip } from './light-site.ts'
import { alwaysAnswered } from './under-load.ts'

const keepalived = 'docker ps -q --filter name=_keepalived'

/** A package in its first version, and a source that has the second. */
const olderPackage = `mkdir -p /srv/apt /srv/rose/DEBIAN
for version in 1 2; do
  printf 'Package: rose\\nVersion: %s\\nArchitecture: all\\nMaintainer: test\\nDescription: a rose\\n' $version >/srv/rose/DEBIAN/control
  dpkg-deb --build /srv/rose /srv/apt/rose-$version.deb
done
dpkg --install /srv/apt/rose-1.deb
cd /srv/apt
{
  cat /srv/rose/DEBIAN/control
  echo "Filename: ./rose-2.deb"
  echo "Size: $(stat -c %s rose-2.deb)"
  echo "SHA256: $(sha256sum rose-2.deb | cut -d ' ' -f 1)"
} >Packages
echo 'deb [trusted=yes] file:/srv/apt ./' >/etc/apt/sources.list.d/rose.list`

describe('a cluster in service, on real hosts and under load', function () {
  // The first run ever builds the machines’ root tree; and a program that is killed at every step takes its time.
  this.timeout(process.env['BRAMBLE_STEPS'] === 'all' ? 1_800_000 : 600_000)
  inOrder(this)
  const cluster = lightSite()
  const { bramble, containers, haproxies, holders, killedUnderLoad, on, site, status } = cluster

  it('a directory without its slash leads to itself at the virtual IP, not to a web server', async () => {
    const words = ['curl', '-sS', '-o', '/dev/null', '-w', '%{redirect_url}', `http://${vip}/garden`]
    assert.equal(await run(['nsenter', `--net=${cluster.lab.namespace}`, ...words]), `http://${vip}/garden/`)
  })

  it('apply makes the first of the managers one again, which an interrupted reset has demoted', async () => {
    await on('rpi2', 'docker node demote rpi1')
    await until('rpi1 to be a worker', 60_000, async () =>
      /false/.test(await on('rpi1', `docker info -f '{{.Swarm.ControlAvailable}}'`)),
    )
    await bramble(0, 'apply')
    assert.match(
      await on('rpi2', `docker node ls --format '{{.Hostname}} {{.ManagerStatus}}'`),
      /rpi1 (Reachable|Leader)/,
    )
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('the virtual IP leaves a load balancer whose HAProxy is killed, and comes back', async () => {
    const url = `http://${vip}/`
    const fetched = () => run(['nsenter', `--net=${cluster.lab.namespace}`, 'curl', '-sS', '-m', '5', url])
    await on('rpi1', 'docker kill --signal KILL $(docker ps -q --filter name=_haproxy)')
    await until('rpi2 to hold the virtual IP', 30_000, async () => (await holders()).join() === 'rpi2')
    assert.equal(await fetched(), 'roses\n')
    await until('rpi1 to hold it again', 120_000, async () => (await holders()).join() === 'rpi1')
    assert.equal(await fetched(), 'roses\n')
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('an Nginx that is killed costs no request, on each node in turn', async () => {
    const nginx = 'docker ps -q --filter name=_nginx'
    await alwaysAnswered(site(), async () => {
      for (const name of names) {
        const killed = await on(name, nginx)
        await on(name, `docker kill --signal KILL ${killed}`)
        await until(
          `another Nginx on ${name}`,
          60_000,
          async () => !['', killed].includes(await on(name, nginx)),
        )
        await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
      }
    })
  })

  it('the virtual IP is handed over by a Keepalived that is asked to end: who connects meanwhile waits, no request fails', async () => {
    const all = 'for id in $(docker ps -aq --filter name=_keepalived); do docker logs $id 2>&1; done'
    const heldBack = async (name: string) =>
      (await on(name, all)).split(`Holding connections to ${vip}`).length
    await alwaysAnswered(site(), async () => {
      for (const [holder, other] of [
        ['rpi1', 'rpi2'],
        ['rpi2', 'rpi1'],
        ['rpi1', 'rpi2'],
      ] as const) {
        const before = await heldBack(holder)
        await on(holder, `docker kill --signal TERM $(${keepalived})`)
        await until(`${other} alone to hold it`, 30_000, async () => (await holders()).join() === other)
        assert.equal(await heldBack(holder), before + 1, await on(holder, all))
        await until('the one that ended to be ready again', 30_000, async () =>
          /Entering BACKUP/.test(await on(holder, `docker logs $(${keepalived}) 2>&1 || :`)),
        )
      }
    })
    await until('rpi1 to hold the virtual IP', 90_000, async () => (await holders()).join() === 'rpi1')
  })

  for (const [what, node, stop, start] of [
    [
      'the holder of the virtual IP is drained by plain Docker',
      'rpi3',
      'docker node update --availability drain rpi1',
      'docker node update --availability active rpi1',
    ],
    [
      'Docker is stopped on the holder of the virtual IP',
      'rpi1',
      'systemctl stop docker.socket docker.service',
      'systemctl start docker.service',
    ],
  ] as const) {
    it(`${what}: no request fails`, async () => {
      await alwaysAnswered(site(), async () => {
        await on(node, stop)
        await until('rpi2 alone to hold it', 30_000, async () => (await holders()).join() === 'rpi2')
        await until('no HAProxy on rpi1', 90_000, async () => !(await haproxies()).includes('rpi1'))
      })
      // Its return after preempt_delay takes the address from under rpi2, which cannot hold anything back.
      await on(node, start)
      await until('rpi1 to hold it again', 120_000, async () => (await holders()).join() === 'rpi1')
      await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
    })
  }

  it(`a changed daemon.json comes into use on one node after another, without a failed request (seed ${seed})`, async () => {
    const variables = join(cluster.directory, 'inventory/group_vars')
    mkdirSync(variables)
    writeFileSync(join(variables, 'all.yml'), 'docker: { log_max_size: 9m }\n')
    const pids = () => Promise.all(names.map((name) => on(name, 'cat /run/docker.pid')))
    const before = await pids()
    await killedUnderLoad(16, 'apply', 'playbooks/docker.ts')
    const after = await pids()
    for (const [index, name] of names.entries()) assert.notEqual(after[index], before[index], name)
    // What a run has left that was killed while it waited for the containers: the next one waits in its place.
    await on('rpi3', 'echo ha-stack_nginx >/run/bramble-docker-restarted')
    await bramble(0, 'apply', 'playbooks/docker.ts')
    assert.equal(await on('rpi3', 'ls /run/bramble-docker-restarted 2>/dev/null || :'), '')
    assert.deepEqual(await pids(), after)
    await until('rpi1 to hold it again', 120_000, async () => (await holders()).join() === 'rpi1')
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('connections that a Keepalived held back when it was killed are let in by the next one', async () => {
    const tables = `docker exec $(${keepalived}) nft list tables`
    await on('rpi2', `docker exec $(${keepalived}) nft add table ip bramble_vip`)
    assert.match(await on('rpi2', tables), /bramble_vip/)
    await on('rpi2', `docker kill --signal KILL $(${keepalived})`)
    await until('another Keepalived', 30_000, async () =>
      /Entering BACKUP/.test(await on('rpi2', `docker logs $(${keepalived}) 2>&1 || :`)),
    )
    assert.doesNotMatch(await on('rpi2', tables), /bramble_vip/)
  })

  it('upgrade: a cluster with nothing to do is left alone, whatever else it was asked', async () => {
    const before = await containers()
    const printed = await bramble(0, 'apply', 'playbooks/upgrade.ts')
    assert.match(printed, /nothing was written|package lists/)
    assert.deepEqual(await containers(), before)
  })

  it(`upgrade: a newer package comes to the node that lacks it, without a reboot or a failed request (seed ${seed})`, async () => {
    await on('rpi4', olderPackage)
    const others = ['rpi1', 'rpi2', 'rpi3']
    const before = await containers(others)
    const boot = await on('rpi4', 'stat -c %i,%Z /run/systemd')
    await killedUnderLoad(14, 'apply', 'playbooks/upgrade.ts')
    assert.equal(await on('rpi4', "dpkg-query --show --showformat '${Version}' rose"), '2')
    assert.equal(await on('rpi4', 'stat -c %i,%Z /run/systemd'), boot)
    assert.deepEqual(await containers(others), before)
    assert.deepEqual((await status()).problems, [])
  })

  it(`upgrade: a reboot of every node, one after another and killed on the way, fails no request (seed ${seed})`, async () => {
    for (const name of names) await on(name, 'touch /run/reboot-required')
    const before = await containers()
    assert.match(
      await bramble(3, 'apply', 'playbooks/upgrade.ts', '--check'),
      /would change +reboot \(upgrade\)/,
    )
    assert.deepEqual(await containers(), before)
    const boots = await Promise.all(names.map((name) => on(name, 'stat -c %i,%Z /run/systemd')))
    await killedUnderLoad(40, 'apply', 'playbooks/upgrade.ts')
    const after = await Promise.all(names.map((name) => on(name, 'stat -c %i,%Z /run/systemd')))
    for (const [index, name] of names.entries()) assert.notEqual(after[index], boots[index], name)
    assert.deepEqual(await holders(), ['rpi1'])
    assert.deepEqual((await status()).problems, [])
  })

  it('upgrade: goes on where one that was interrupted has left a load balancer drained', async () => {
    const drained = '--availability drain --label-add bramble.drained=true --label-rm bramble.vip'
    await on('rpi1', `docker node update ${drained} rpi2`)
    await until(
      'no HAProxy on rpi2',
      60_000,
      async () => !(await on('rpi2', 'docker ps')).includes('_haproxy'),
    )
    await bramble(0, 'apply', 'playbooks/upgrade.ts')
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('upgrade: a node that somebody else took out of service is upgraded and stays out, and nothing is waited for there', async () => {
    await on('rpi1', 'docker node update --availability drain rpi2')
    await until('no HAProxy on rpi2', 60_000, async () => !/_haproxy/.test(await on('rpi2', 'docker ps')))
    for (const name of ['rpi2', 'rpi4']) await on(name, 'touch /run/reboot-required')
    const boot = await on('rpi2', 'stat -c %i,%Z /run/systemd')
    await bramble(0, 'apply', 'playbooks/upgrade.ts')
    assert.notEqual(await on('rpi2', 'stat -c %i,%Z /run/systemd'), boot)
    assert.match(await on('rpi1', `docker node ls --format '{{.Hostname}} {{.Availability}}'`), /rpi2 Drain/)
    await on('rpi1', 'docker node update --availability active rpi2')
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })

  it('upgrade: the first node that does not come back ends the run, and no other is touched', async () => {
    for (const name of ['rpi3', 'rpi4']) await on(name, 'touch /run/reboot-required')
    const others = ['rpi1', 'rpi2', 'rpi4']
    const before = await containers(others)
    // It comes back without Docker.
    await on('rpi3', 'systemctl mask docker.service docker.socket')
    const printed = await bramble(2, 'apply', 'playbooks/upgrade.ts')
    assert.match(printed, /the play "rpi3 is well" ended the run: 1 of its hosts failed/)
    assert.deepEqual(await containers(others), before)
    const availability = `docker node ls --format '{{.Hostname}} {{.Availability}}'`
    assert.match(await on('rpi1', availability), /rpi3 Drain\nrpi4 Active/)
    await on('rpi3', 'systemctl unmask docker.service docker.socket; systemctl start docker')
    await bramble(0, 'apply', 'playbooks/upgrade.ts')
    await until('all to be well', 60_000, async () => (await status()).problems.length === 0)
  })
})
