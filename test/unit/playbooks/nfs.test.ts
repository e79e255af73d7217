import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import nfs from '../../../playbooks/nfs.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import { raw, lines } from '../../../src/playbook/sh.ts'
import { inventoryOf } from '../inventory/fixture.ts'
import { converge, plan, run, SHELLS, temporary } from '../modules/local.ts'

describe('the playbook of the share', () => {
  const directory = temporary()

  for (const shell of SHELLS) {
    it(`leaves no half of the first page when it is cut short, with ${shell}`, async () => {
      const path = join(directory.path, shell)
      mkdirSync(path)
      const page = await firstPage(path)
      // The power goes in the middle of a word.
      const cut = raw(`printf() { command printf '<h1>It'; kill -KILL $$; }`)
      const change = plan(page, shell)
      assert(change)
      run(lines(cut, change.apply), { shell, strict: true })
      assert.equal(existsSync(join(path, 'index.html')), false)
      converge(page, shell)
      assert.match(readFileSync(join(path, 'index.html'), 'utf8'), /^<h1>It works.*<\/h1>\n$/)
    })
  }
})

async function firstPage(path: string) {
  const cluster = await inventoryOf({
    'hosts.yml': `all: { hosts: { rpi4: { ansible_host: 10.0.0.4 } }, children: { nfs_server: { hosts: { rpi4: } } } }`,
    'group_vars/all.yml': `nfs: { export: '${path}' }`,
  })
  const [host] = cluster.hosts
  const [server] = nfs.plays
  assert(host && server)
  const context = {
    cluster,
    alive: cluster.hosts,
    facts: new FactStore(),
    template: (name: string) => ({ name, text: '' }),
    archives: [],
  }
  const page = [...server.tasks(host, context)].find(({ title }) => title === 'a first page')
  assert(page)
  return page
}
