import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine } from './bramble.ts'

const hosts = `all:
  vars: { ansible_user: root, ansible_port: 1 } # nobody listens there
  hosts:
    rpi1: { ansible_host: 127.0.0.1 }
    rpi2: { ansible_host: 127.0.0.2 } # attic
  children:
    managers:
      hosts:
        rpi1:
    workers:
      hosts:
        rpi2:
    webservers:
      hosts:
        rpi[1:2]:
`
const withRpi3 = hosts
  .replace('# attic\n', '# attic\n    rpi3: { ansible_host: 127.0.0.3 }\n')
  .replace('        rpi2:\n', '        rpi2:\n        rpi3:\n')
  .replace('rpi[1:2]', 'rpi[1:3]')
const site = `import { command, playbook, sh } from 'bramble'
export default playbook({
  name: 'test',
  plays: [{ name: 'one', hosts: 'all', tasks: () => [command({ title: 'x', run: sh\`true\`, creates: '/x' })] }],
})
`
const add = ['node', 'add', 'rpi3', '--address', '127.0.0.3', '--groups', 'workers,webservers']

describe('bramble node add', () => {
  const line = commandLine()
  const text = (name = 'inventory/hosts.yml') => readFileSync(join(line.folder, name), 'utf8')
  beforeEach(() => {
    line.put('inventory/hosts.yml', hosts)
    line.put('playbooks/site.ts', site)
  })

  const refused: Record<string, { words: string[]; files?: Record<string, string>; says: RegExp }> = {
    'nothing to do': { words: ['node'], says: /^say what to do: add, remove or replace\n/ },
    'an unknown thing to do': { words: ['node', 'plant', 'rpi3'], says: /^Unknown commands: plant, rpi3\n/ },
    'no name': { words: ['node', 'add'], says: /^Not enough non-option arguments/ },
    'no address': { words: add.toSpliced(3, 2), says: /^Missing required argument: address\n/ },
    'no groups': { words: add.slice(0, 5), says: /^Missing required argument: groups\n/ },
    'an address twice': {
      words: [...add, '--address', '127.0.0.4'],
      says: /^--address is given more than once\n/,
    },
    'a bad name': { words: add.with(2, 'rpi_3'), says: /^`rpi_3` is no name for a host\n/ },
    'a bad address': { words: add.with(4, 'attic'), says: /^`attic` is no address for a host\n/ },
    'an address in use': {
      words: add.with(4, '127.0.0.2'),
      says: /^rpi2 and rpi3 have the same address\n {2}at inventory\/hosts\.yml\n {2}found: +127\.0\.0\.2$/,
    },
    'a name in use': {
      words: add.with(2, 'rpi1'),
      says: /^rpi1 is in the inventory already\n {2}at inventory\/hosts\.yml:4:5\n {2}expected: 127\.0\.0\.3 in workers, webservers, as asked for\n {2}found: +127\.0\.0\.1 in managers, webservers\n {2}next: /,
    },
    'an unknown group': {
      words: add.with(6, 'workers,webserver'),
      says: /^no group is called `webserver`\n {2}next: +did you mean webservers\?$/,
    },
    'neither manager nor worker': {
      words: add.with(6, 'webservers'),
      says: /^rpi3 is neither manager nor worker\n {2}expected: exactly one of managers and workers among its groups\n {2}found: +webservers$/,
    },
    'both manager and worker': {
      words: add.with(6, 'workers,managers'),
      says: /^rpi3 cannot be both manager and worker\n/,
    },
    'no fork': { words: [...add, '--forks', '0'], says: /^--forks 0\n/ },
    'an unknown output': { words: [...add, '-o', 'xml'], says: /Given: "xml"/ },
    'no playbook': {
      words: add,
      files: { 'playbooks/site.ts': 'const = 2\n' },
      says: /^the playbook does not compile\n/,
    },
    'a broken inventory': {
      words: add,
      files: { 'inventory/hosts.yml': hosts.replace('rpi[1:2]', 'rpi[2:1]') },
      says: /^`rpi\[2:1\]` is not a host range\n {2}at inventory\/hosts\.yml:15:9\n/,
    },
    'hosts that an alias repeats': {
      words: add,
      files: {
        'inventory/hosts.yml': hosts
          .replace(/hosts:\n +rpi2:/, 'hosts: &w { rpi2: }')
          .replace(/hosts:\n +rpi\[1:2\]:/, 'hosts: *w'),
      },
      says: /^inventory\/hosts\.yml cannot be edited by program\n {2}at inventory\/hosts\.yml:14:14\n {2}found: +\*w, which repeats what would change\n {2}next: +write out what the alias stands for and try again, or make the change by hand and then: bramble apply$/,
    },
  }
  for (const [what, { words, files, says }] of Object.entries(refused)) {
    it(`refuses ${what} with 1, and touches nothing`, async () => {
      for (const [name, content] of Object.entries(files ?? {})) line.put(name, content)
      const before = text()
      const { code, stdout, stderr } = await line.bramble(words)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr.trimEnd(), says)
      assert.doesNotMatch(stderr, /bug in bramble/)
      assert.equal(text(), before)
      assert.ok(!existsSync(join(line.folder, '.bramble')))
    })
  }

  it('shows what is to be written into the inventory, and writes nothing where the newcomer does not answer', async () => {
    const { code, stdout, stderr } = await line.bramble(add)
    assert.equal(code, 4, stderr)
    assert.equal(text(), hosts)
    assert.match(stdout, /^--- inventory\/hosts\.yml\n\+\+\+ inventory\/hosts\.yml\n@@/)
    assert.match(stdout, /^\+ {4}rpi3: \{ ansible_host: 127\.0\.0\.3 \}$/m)
    assert.match(stdout, /^-.*rpi\[1:2\]:\n\+.*rpi\[1:3\]:$/m)
    assert.match(
      stderr,
      /^rpi3: root@127\.0\.0\.3:1 cannot be reached[^]*\ninventory\/hosts\.yml is as it was\.\n$/,
    )
    // Nobody else was asked.
    assert.ok(!existsSync(join(line.folder, '.bramble/runs')))
  })

  it('goes on, where an interruption came after the inventory was written, and applies the site to all hosts', async () => {
    line.put('inventory/hosts.yml', withRpi3)
    const { mtimeMs } = statSync(join(line.folder, 'inventory/hosts.yml'))
    const { code, stdout, stderr } = await line.bramble([...add, '-o', 'lines'])
    assert.equal(code, 4)
    assert.match(stdout, /^rpi3 is in inventory\/hosts\.yml already\n/)
    for (const name of ['rpi1', 'rpi2', 'rpi3'])
      assert.match(stdout + stderr, new RegExp(`${name}.*unreachable|${name}: .*cannot be reached`))
    assert.match(stdout, /^retry: +bramble apply playbooks\/site\.ts/m)
    assert.equal(statSync(join(line.folder, 'inventory/hosts.yml')).mtimeMs, mtimeMs, 'nothing is written')
  })

  it('with --check shows the same and the steps of all hosts, warns, and writes nothing', async () => {
    const words = ['node', 'add', 'rpi3', '--address', '127.0.0.3', '--groups', 'managers', '--check']
    const { code, stdout, stderr } = await line.bramble(words)
    assert.equal(code, 4)
    assert.match(stdout, /^\+ {4}rpi3: \{ ansible_host: 127\.0\.0\.3 \}$/m)
    for (const name of ['rpi1', 'rpi2', 'rpi3']) assert.match(stdout, new RegExp(`${name}.*unreachable`))
    assert.match(stdout, /^retry: +bramble node add rpi3 --address 127\.0\.0\.3 --groups managers --check/m)
    assert.match(stderr, /^warning: 2 managers survive the loss of none, as 1 would: take an odd number\n/)
    assert.equal(text(), hosts)
  })

  it('leaves stdout to the events where they are JSON', async () => {
    const { code, stdout, stderr } = await line.bramble([...add, '--check', '-o', 'json'])
    assert.equal(code, 4)
    for (const event of stdout.trimEnd().split('\n')) JSON.parse(event)
    assert.match(stderr, /^\+ {4}rpi3: /m)
  })

  it('shows no password that stands near what changes', async () => {
    const text = hosts.replace('127.0.0.2 }', '127.0.0.2, ansible_become_password: blackthorn }')
    line.put('inventory/hosts.yml', text)
    for (const words of [[...add, '--check'], add]) {
      const { stdout, stderr } = await line.bramble(words)
      assert.match(stdout, /^ .*ansible_become_password: \*\*\* \} # attic\n\+ {4}rpi3: /m)
      assert.doesNotMatch(stdout + stderr, /blackthorn/)
    }
  })

  it('needs no key of the secrets to compare', async () => {
    line.put('inventory/group_vars/all.yml', 'haproxy:\n  stats_password: !secret stats\n')
    const { stdout } = await line.bramble([...add, '--check'])
    assert.match(stdout, /^\+ {4}rpi3: /m)
  })

  it('takes groups one by one, and another inventory', async () => {
    line.put('garden/hosts.yml', withRpi3)
    const words = [...add.slice(0, 5), '--groups', 'workers', '--groups', 'webservers', '-i', 'garden']
    const { stdout } = await line.bramble(words)
    assert.match(stdout, /^rpi3 is in garden\/hosts\.yml already\n/)
  })
})
