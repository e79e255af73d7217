import assert from 'node:assert/strict'
import upgrade from '../../../playbooks/upgrade.ts'
import { templates } from '../../../src/cli/project.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import type { Play } from '../../../src/playbook/play.ts'
import { laboratory } from '../status/cluster.ts'

const known = (due: string): FactStore => {
  const facts = new FactStore()
  for (const name of ['rpi1', 'rpi2', 'rpi3']) {
    facts.add(name, { upgrades: name === due ? '2' : '0', reboot_needed: 'false' })
  }
  return facts
}

describe('the playbook of an upgrade', () => {
  it('sees first that no node is missing, wherever there is something to do', async () => {
    const cluster = await laboratory()
    const plays = upgrade(cluster).plays
    const names = plays.map(({ name }) => name)
    const index = names.indexOf('the cluster before an upgrade')
    assert.deepEqual([index, names.findIndex((name) => name.startsWith('drain'))], [1, 2])
    const whole = plays[index] as Play
    const [first] = cluster.hosts
    assert(first)
    const context = { cluster, alive: cluster.hosts, template: templates('.'), archives: [], wrote: false }
    const titles = (due: string) =>
      [...whole.tasks(first, { ...context, facts: known(due) })].map(({ title }) => title)
    assert.deepEqual(titles('rpi2'), ['nodes ready', 'stack ha-stack runs'])
    assert.deepEqual(titles('none'), [])
  })
})
