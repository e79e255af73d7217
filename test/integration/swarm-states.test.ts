import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt } from '../../src/lab/run.ts'
import { until } from '../../src/lab/wait.ts'
import { named, onHost, shell, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'
import { ownCa, type SwarmCa } from './swarm-ca.ts'
import { inOrder } from '../in-order.ts'
import { copyShipped } from '../shipped.ts'

const names = ['rpi1', 'rpi2', 'rpi3', 'rpi4']
const root = join(import.meta.dirname, '../..')
const well = names.map((name) => `${name} Ready ${name === 'rpi4' ? 'worker' : 'manager'}`)

/** Lets nobody speak with the host's manager, or everybody again. */
const drop = (what: '-A' | '-D') => `for chain in INPUT OUTPUT; do
  for port in --dport --sport; do iptables ${what} $chain -p tcp $port 2377 -j DROP; done
done`

describe('the swarm, whatever state it is found in', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  inOrder(this)
  let lab: LightHosts
  let project: Project
  let ca: SwarmCa

  before(async () => {
    lab = await startLightHosts({ names, docker: true })
    project = makeProject(Object.fromEntries(lab.hosts.map((host) => [host.name, variablesOf(host)])), {
      children: { managers: ['rpi1', 'rpi2', 'rpi3'], workers: ['rpi4'], webservers: names },
    })
    copyShipped(project.directory)
    writeFileSync(join(project.directory, 'playbooks/site.ts'), `export { default } from './swarm.ts'\n`)
    await bramble('bramble apply')
  })

  after(async () => {
    project?.remove()
    await lab?.stop()
  })

  it('a join that reaches nobody is given up for one that does', async () => {
    const body = JSON.stringify({
      ListenAddr: '0.0.0.0:2377',
      AdvertiseAddr: '10.77.0.14',
      RemoteAddrs: ['10.77.0.99:2377'],
      JoinToken: (await on('rpi1', 'docker swarm join-token -q worker')).trim(),
    })
    await on(
      'rpi4',
      `docker swarm leave
curl -sS --max-time 2 --unix-socket /run/docker.sock -H 'Content-Type: application/json' -d '${body}' http://docker/swarm/join || :`,
    )
    assert.equal(await state('rpi4'), 'pending')
    const printed = await bramble('bramble apply --diff')
    assert.match(printed, /- joining since an earlier run\n.*\+ a worker of the swarm of /)
    // Its entry of before is a ghost.
    assert.match(printed, /- node rpi4 \(\w+, \w+\)/)
    assert.deepEqual(await members(), well)
  })

  it('a machine in another swarm is left there, and the commands that are told bring it here', async () => {
    await on('rpi4', 'docker swarm leave; docker swarm init --advertise-addr 10.77.0.14 >/dev/null')
    const printed = await bramble('bramble apply', 2)
    assert.match(printed, /rpi4 +failed +swarm worker 10\.77\.0\.14: this host is in another swarm\n/)
    assert.equal(await state('rpi4'), 'active')
    await follow(printed, ['bramble exec rpi4 -- docker swarm leave --force', 'bramble apply'])
    assert.deepEqual(await members(), well)
  })

  for (const { name, role } of [
    { name: 'rpi4', role: 'worker' },
    { name: 'rpi3', role: 'manager' },
  ]) {
    it(`a ${role} with another address is left as it is, and the commands that are told bring it here`, async () => {
      const address = host(name).address
      const other = address.replace(/1(\d)$/, '2$1')
      const token = (await on('rpi1', `docker swarm join-token -q ${role}`)).trim()
      if (role === 'manager') {
        await on('rpi1', `docker node demote ${name}`)
        await until(`${name} to be a worker`, 60_000, async () =>
          /false/.test(await on(name, `docker info -f '{{.Swarm.ControlAvailable}}'`)),
        )
      }
      await on(
        name,
        `docker swarm leave
ip address add ${other}/24 dev eth0
docker swarm join --token ${token} --advertise-addr ${other} 10.77.0.11:2377
ip address del ${other}/24 dev eth0`,
      )
      const printed = await bramble('bramble apply', 2)
      assert.match(
        printed,
        new RegExp(
          `this host has another address than in the swarm\\n.*\\n *expected: ${address}\\n *found: +${other}\\n`,
        ),
      )
      await follow(printed, [`bramble reset ${name}`, 'bramble apply'])
      assert.deepEqual(await members(), well)
    })
  }

  it('a worker and a manager whose certificates have expired are let in again', async () => {
    ca = await ownCa(host('rpi1'))
    await Promise.all([ca.expire(host('rpi3')), ca.expire(host('rpi4'))])
    assert.equal(await state('rpi4'), 'error')
    const printed = await bramble('bramble apply --diff')
    assert.match(printed, /- a member: its certificate was valid until .*\n.*\+ a manager of the swarm of /)
    assert.deepEqual(await members(), well)
  })

  it('managers that have lost each other: told as that, and nothing is done before they are back', async () => {
    const cutOff = ['rpi2', 'rpi3']
    await Promise.all(cutOff.map((name) => on(name, drop('-A'))))
    await majorityLost()
    const commands = ['bramble apply --check', 'bramble node remove rpi4 --yes']
    for (const command of commands) {
      const printed = await bramble(command, 2)
      assert.match(
        printed,
        /rpi1 +failed +.*: the swarm has no leader: too few of its managers reach each other/,
      )
      assert.match(printed, /next: .*\n.*bramble exec rpi1 -- sh -c 'docker swarm init --force-new-cluster /)
    }
    await Promise.all(cutOff.map((name) => on(name, drop('-D'))))
    await until('a leader to be chosen', 60_000, async () => {
      return (await onHost(host('rpi1'), 'timeout 5 docker node ls')).code === 0
    })
    assert.match(await bramble('bramble apply'), /nothing was written/)
    assert.deepEqual(await members(), well)
  })

  it('managers that are lost for good: the command that is told makes the one that is left lead, and the others join it', async () => {
    await Promise.all(['rpi2', 'rpi3'].map((name) => on(name, 'docker swarm leave --force')))
    await majorityLost()
    const printed = await bramble('bramble apply', 2)
    const forced =
      'docker swarm init --force-new-cluster --advertise-addr $(docker info --format {{.Swarm.NodeAddr}})'
    await follow(printed, [`bramble exec rpi1 -- sh -c '${forced}'`, 'bramble apply'])
    assert.deepEqual(await members(), well)
  })

  it('managers whose certificates have all expired: the commands that are told bring all back', async () => {
    await Promise.all(['rpi1', 'rpi2', 'rpi3'].map((name) => ca.expire(host(name))))
    const printed = await bramble('bramble apply', 2)
    assert.match(printed, /the certificate of rpi1 in the swarm has expired, and no manager is left/)
    const leave = 'docker swarm leave --force'
    await follow(printed, [`bramble exec managers:workers -- ${leave}`, 'bramble apply'])
    assert.deepEqual(await members(), well)
  })

  async function majorityLost(): Promise<void> {
    await until('the majority to be lost', 60_000, async () => {
      return (await onHost(host('rpi1'), 'timeout 5 docker node ls')).stderr.includes(
        'does not have a leader',
      )
    })
  }

  /** Runs commands as a user copies them from what was printed; whoever runs them here cannot be asked. */
  async function follow(printed: string, commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      assert.ok(printed.includes(command), `${command}\nis not in\n${printed}`)
      await bramble(command.replace('bramble reset', 'bramble reset --yes'))
    }
  }

  /** A command line of the built program. */
  async function bramble(command: string, code = 0): Promise<string> {
    const start = Date.now()
    const line = command.replace('bramble', `'${process.execPath}' '${join(root, 'bin/bramble')}'`)
    const ran = await attempt([
      'sh',
      '-c',
      `cd '${project.directory}' && BRAMBLE_OUTPUT=lines ${line} </dev/null`,
    ])
    console.log(`      ${command}: ${Math.round((Date.now() - start) / 100) / 10} s`)
    assert.equal(ran.code, code, ran.stdout + ran.stderr)
    return ran.stdout + ran.stderr
  }

  /** What the managers say of all nodes, once they have had the time to see it. */
  async function members(): Promise<string[]> {
    const format = '{{.Hostname}} {{.Status}} {{if .ManagerStatus}}manager{{else}}worker{{end}}'
    const list = await on('rpi1', `docker node ls --format '${format}'`)
    return list.trim().split('\n').toSorted()
  }

  async function state(name: string): Promise<string> {
    return (await on(name, `docker info --format '{{.Swarm.LocalNodeState}}'`)).trim()
  }

  function host(name: string): LightHost {
    return named(lab, name)
  }

  function on(name: string, script: string): Promise<string> {
    return shell(host(name), script)
  }
})
