import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { templates } from '../../../src/cli/project.ts'
import type { Cluster, Host } from '../../../src/inventory/index.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import nfs from '../../../playbooks/nfs.ts'
import { FactStore } from '../../../src/playbook/facts.ts'
import { raw, lines } from '../../../src/playbook/sh.ts'
import { inventoryOf } from '../inventory/fixture.ts'
import { converge, plan, run, SHELLS, temporary } from '../modules/local.ts'

const shipped = templates('.')

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

  it('keeps a mirror on every web server, each with a script that its shell understands', async () => {
    const cluster = await inventoryOf({
      'hosts.yml': `all:
  hosts: { rpi3: { ansible_host: 10.0.0.3 }, rpi4: { ansible_host: 10.0.0.4 } }
  children: { webservers: { hosts: { rpi3: , rpi4: } }, nfs_server: { hosts: { rpi4: } } }`,
      'group_vars/all.yml': `mirror: { refresh_interval: 5, max_size_mb: 7 }`,
    })
    const scripts = cluster.hosts.map((host) => {
      const tasks = tasksOf('mirror', cluster, host)
      const script = tasks.find(({ title }) => title === 'template /usr/local/sbin/bramble-content')
      return script?.plan({ code: 0, stdout: 'absent\n' })?.diff ?? ''
    })
    const [client = '', server = ''] = scripts
    for (const line of [
      "server='10.0.0.4'",
      'interval=5',
      'timeout=2',
      'max_mb=7',
      "share='/srv/bramble/share'",
    ])
      assert.ok(client.includes(`+${line}\n`), `${line} in\n${client}`)
    // Its own share needs no network.
    assert.ok(server.includes("+server=''\n"))
    for (const shell of SHELLS) {
      const text = client.split('\n').flatMap((line) => (/^\+(?!\+\+ )/.test(line) ? [line.slice(1)] : []))
      const { code, stderr } = run(raw(`${text[0] ?? ''}\nif false; then\n${text.slice(1).join('\n')}\nfi`), {
        shell,
        strict: true,
      })
      assert.equal(code, 0, stderr)
    }
  })
})

function tasksOf(name: string, cluster: Cluster, host: Host): Resource[] {
  const found = nfs.plays.find((one) => one.name === name)
  assert(found)
  const context = {
    cluster,
    alive: cluster.hosts,
    facts: new FactStore(),
    template: shipped,
    archives: [],
    wrote: false,
  }
  return [...found.tasks(host, context)]
}

async function firstPage(path: string) {
  const cluster = await inventoryOf({
    'hosts.yml': `all: { hosts: { rpi4: { ansible_host: 10.0.0.4 } }, children: { nfs_server: { hosts: { rpi4: } } } }`,
    'group_vars/all.yml': `nfs: { export: '${path}' }`,
  })
  const [host] = cluster.hosts
  assert(host)
  const page = tasksOf('nfs server', cluster, host).find(({ title }) => title === 'a first page')
  assert(page)
  return page
}
