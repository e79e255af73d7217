import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { InputError } from '../../../src/errors.ts'
import { loadInventory } from '../../../src/inventory/index.ts'
import { complaint, hosts, inventoryOf } from './fixture.ts'
import type { Files } from './fixture.ts'
import { seed } from '../../random.ts'

const one = `all:\n  hosts:\n${hosts('rpi1')}`
const two = `all:\n  hosts:\n${hosts('rpi1', 'rpi2')}`
const groupVars = (text: string): Files => ({ 'hosts.yml': one, 'group_vars/all.yml': text })

const cases: [string, Files | string, string][] = [
  [
    'malformed YAML, with the line',
    'all:\n  hosts:\n    rpi1: [1\n    rpi2:\n',
    `hosts.yml is not valid YAML: deficient indentation
  at hosts.yml:4:5
  found:    rpi2:`,
  ],
  [
    'a tab',
    'all:\n\thosts:\n',
    `hosts.yml is not valid YAML: tab characters must not be used in indentation
  at hosts.yml:2:1
  found:    hosts:
  next:     indent with spaces`,
  ],
  [
    'a duplicate key',
    'all:\n  hosts:\n    rpi1:\n    rpi1:\n',
    `hosts.yml is not valid YAML: duplicated mapping key
  at hosts.yml:4:5
  found:    rpi1:`,
  ],
  [
    'an empty file',
    '# nothing\n---\n',
    `hosts.yml is empty
  at hosts.yml:1:1
  expected: YAML
  found:    no content`,
  ],
  [
    'a name that would be lost',
    'all: { hosts: { a: { ansible_host: 10.0.0.1, labels: { __proto__: x } } } }',
    `\`__proto__\` cannot be the name of anything
  at hosts.yml:1:56`,
  ],
  [
    'half a character',
    'all: { hosts: { a: { labels: { x: "\\uD83C" } } } }',
    `hosts.yml holds half a character
  at hosts.yml:1:32`,
  ],
  [
    'more hosts than anybody has',
    'all:\n  hosts:\n    a[1:9999]:\n    b[1:9]:\n',
    `there are more than 10000 hosts
  at hosts.yml:4:5`,
  ],
  [
    'a second document',
    one + '---\na: 1\n',
    `hosts.yml is not valid YAML: expected a single document in the stream, but found more
  at hosts.yml:1:1
  found:    all:`,
  ],
  [
    'an anchor that holds itself',
    'all: { hosts: { a: { extra: &x { y: *x } } } }',
    `an anchor in hosts.yml holds itself
  at hosts.yml:1:34`,
  ],
  [
    'an INI inventory',
    '[web]\nrpi1 ansible_host=10.0.0.1\n',
    `hosts.yml is not valid YAML: end of the stream or a document separator is expected
  at hosts.yml:2:1
  found:    rpi1 ansible_host=10.0.0.1
  next:     an INI inventory is not read: convert it with \`ansible-inventory --list --yaml\``,
  ],
  [
    'a vault',
    'all: { vars: { ansible_password: !vault abc } }',
    `hosts.yml is not valid YAML: unknown scalar tag !<!vault>
  at hosts.yml:1:34
  found:    all: { vars: { ansible_password: ***
  next:     Ansible Vault is not read: keep the value with \`bramble secret set NAME\`, and write !secret NAME here`,
  ],
  [
    'bytes that are not text',
    { 'hosts.yml': new Uint8Array([0xff, 0xfe, 0x00]) },
    `hosts.yml cannot be read
  at hosts.yml
  found:    it is not UTF-8 text`,
  ],
  [
    'a directory without hosts.yml',
    { 'group_vars/all.yml': '' },
    `. is no inventory
  at .
  expected: a file hosts.yml in it
  found:    none`,
  ],
  [
    'two inventory files',
    { 'hosts.yml': one, 'hosts.yaml': one },
    `. has two inventories
  at .
  found:    hosts.yml and hosts.yaml
  next:     keep one`,
  ],
  [
    'more files that Ansible would read hosts from',
    { 'hosts.yml': one, hosts: '[web]\nrpi2\n', 'web.yaml': one, 'README.md': 'x', '.x.yml': one },
    `hosts are read from hosts.yml only
  at .
  found:    hosts, web.yaml
  next:     put what is in there into hosts.yml, or the file elsewhere; or name the one: -i hosts.yml`,
  ],
  [
    'no host at all',
    'all: { children: { web: } }',
    `hosts.yml names no host
  at hosts.yml:1:1
  expected: \`all: hosts:\`, one host a line`,
  ],
  [
    'a list of hosts',
    'all:\n  hosts: [rpi1, rpi2]\n',
    `\`all.hosts\` must be a mapping
  at hosts.yml:2:3
  expected: \`name:\`, one a line
  found:    a list`,
  ],
  [
    'a list as the whole file',
    '- rpi1\n',
    `hosts.yml must be a mapping
  at hosts.yml:1:1
  expected: \`all:\` with hosts, children and vars
  found:    a list`,
  ],
  [
    'a host where a part of the group belongs',
    'all:\n  rpi1:\n    ansible_host: 10.0.0.1\n',
    `a group has no \`rpi1\`
  at hosts.yml:2:3
  expected: hosts, children or vars below \`all\`
  next:     hosts go under \`all: hosts:\`, groups under \`all: children:\``,
  ],
  [
    'a misspelt part of a group',
    'all:\n  host:\n    rpi1:\n',
    `a group has no \`host\`
  at hosts.yml:2:3
  expected: hosts, children or vars below \`all\`
  next:     did you mean hosts?`,
  ],
  [
    'a bad group name',
    'my group: {}\n',
    `\`my group\` is no name for a group
  at hosts.yml:1:1
  expected: letters, digits, _ and -, beginning with a letter`,
  ],
  [
    'a bad host name',
    'all: { hosts: { rpi_1: } }',
    `\`rpi_1\` is no name for a host
  at hosts.yml:1:17
  expected: a host name: letters, digits, - and ., at most 63 between two dots, and not only digits`,
  ],
  [
    'a host that YAML reads as a number',
    'all: { hosts: { 12: } }',
    `\`12\` is no name for a host
  at hosts.yml:1:17
  expected: a host name: letters, digits, - and ., at most 63 between two dots, and not only digits`,
  ],
  [
    'a bad range',
    'all:\n  hosts:\n    rpi[4:1]:\n',
    `\`rpi[4:1]\` is not a host range
  at hosts.yml:3:5
  expected: [1:4], [01:10], [a:c] or [0:10:2], of at most 10000 hosts
  found:    [4:1]`,
  ],
  [
    'a group inside itself',
    'a: { children: { b: { children: { a: } } } }',
    `group a is its own descendant
  at hosts.yml:1:35
  found:    a > b > a`,
  ],
  [
    'all as a child',
    'a: { children: { all: } }',
    `\`all\` cannot be the child of a group
  at hosts.yml:1:18`,
  ],
  [
    'a host without an address',
    'all:\n  hosts:\n    rpi1:\n',
    `host rpi1 has no address
  at hosts.yml:3:5
  expected: a static IPv4 address as ansible_host or address
  found:    neither
  next:     add \`ansible_host: 192.168.…\``,
  ],
  [
    'a host with a name for an address',
    'all:\n  hosts:\n    rpi1: { ansible_host: rpi1.local }\n',
    `host rpi1 has no address
  at hosts.yml:3:5
  expected: a static IPv4 address as ansible_host or address
  found:    ansible_host: rpi1.local
  next:     add \`address: 192.168.…\``,
  ],
  [
    'an unknown variable of a host',
    'all:\n  hosts:\n    rpi1:\n      ansible_host: 10.0.0.1\n      ansible_usr: pi\n',
    `unknown variable \`ansible_usr\`
  at hosts.yml:5:7
  next:     did you mean ansible_user?`,
  ],
  [
    "an unknown variable of one's own",
    groupVars('\nsite_title: hello\n'),
    `unknown variable \`site_title\`
  at group_vars/all.yml:2:1
  next:     variables of your own go under \`extra:\``,
  ],
  [
    'an unknown setting',
    groupVars('vip:\n  # which\n  adress: 10.0.0.9\n'),
    `unknown setting \`vip.adress\`
  at group_vars/all.yml:3:3
  next:     did you mean address?`,
  ],
  [
    'an unknown setting nothing is near to',
    groupVars('nginx: { workers: 4 }'),
    `unknown setting \`nginx.workers\`
  at group_vars/all.yml:1:10
  next:     known: port`,
  ],
  [
    'a setting of the cluster at a host',
    { 'hosts.yml': one, 'host_vars/rpi1.yml': 'vip: { address: 10.0.0.9 }' },
    `\`vip\` is set for the whole cluster
  at host_vars/rpi1.yml:1:1
  next:     move it to group_vars/all.yml`,
  ],
  [
    'an old name of Ansible',
    groupVars('ansible_ssh_user: pi'),
    `\`ansible_ssh_user\` is not supported
  at group_vars/all.yml:1:1
  next:     an old name: write ansible_user`,
  ],
  [
    'an unsupported variable of Ansible',
    groupVars('ansible_network_os: ios'),
    `\`ansible_network_os\` is not supported
  at group_vars/all.yml:1:1
  next:     of Ansible's: ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, ansible_password, ansible_become, ansible_become_password, ansible_become_pass, ansible_timeout, ansible_connection, ansible_become_method, ansible_become_user, ansible_python_interpreter`,
  ],
  [
    'another way to connect',
    groupVars('ansible_connection: local'),
    `\`ansible_connection\` is not valid
  at group_vars/all.yml:1:1
  expected: ssh: hosts are reached by SSH only
  found:    "local"`,
  ],
  [
    'a wrong address',
    groupVars('vip:\n  address: 192.168.188.256\n'),
    `\`vip.address\` is not valid
  at group_vars/all.yml:2:3
  expected: an IPv4 address such as 192.168.188.11
  found:    "192.168.188.256"`,
  ],
  [
    'a port in quotes',
    groupVars('haproxy: { port: "80" }'),
    `\`haproxy.port\` is not valid
  at group_vars/all.yml:1:12
  expected: a whole number from 1 to 65535
  found:    "80"
  next:     leave out the quotes`,
  ],
  [
    'a port that is none',
    groupVars('nginx: { port: 0 }'),
    `\`nginx.port\` is not valid
  at group_vars/all.yml:1:10
  expected: a whole number from 1 to 65535
  found:    0`,
  ],
  [
    'a yes',
    groupVars('ansible_become: yes'),
    `\`ansible_become\` is not valid
  at group_vars/all.yml:1:1
  expected: true or false
  found:    "yes"
  next:     in YAML 1.2 only true and false are truth values`,
  ],
  [
    'a number where text belongs',
    groupVars('ansible_user: 0644'),
    `\`ansible_user\` is not valid
  at group_vars/all.yml:1:1
  expected: a user name
  found:    644
  next:     write it in quotes to make it text`,
  ],
  [
    'a password that is a number',
    groupVars('haproxy:\n  stats_password: 1234\n'),
    `\`haproxy.stats_password\` is not valid
  at group_vars/all.yml:2:3
  expected: text, in quotes where it looks like a number, or !secret NAME
  found:    a number`,
  ],
  [
    'a Jinja template',
    groupVars('ansible_user: "{{ who }}"'),
    `\`ansible_user\` is not valid
  at group_vars/all.yml:1:1
  expected: a user name
  found:    "{{ who }}"
  next:     Jinja templates are not evaluated: write the value itself`,
  ],
  [
    'a relative path',
    groupVars('stack: { directory: opt/stack }'),
    `\`stack.directory\` is not valid
  at group_vars/all.yml:1:10
  expected: an absolute path without spaces, not /
  found:    "opt/stack"`,
  ],
  [
    'a wrong item of a list',
    groupVars('nfs:\n  options:\n    - ro\n    - "no atime"\n'),
    `\`nfs.options.1\` is not valid
  at group_vars/all.yml:4:8
  expected: a mount option such as noatime or timeo=20
  found:    "no atime"`,
  ],
  [
    'a wrong choice',
    groupVars('docker: { source: snap }'),
    `\`docker.source\` is not valid
  at group_vars/all.yml:1:11
  expected: debian or docker
  found:    "snap"`,
  ],
  [
    'text where settings belong',
    groupVars('vip: 10.0.0.9'),
    `\`vip\` is not valid
  at group_vars/all.yml:1:1
  expected: settings, one \`name: value\` a line
  found:    "10.0.0.9"`,
  ],
  [
    'variables that are a list',
    groupVars('- vip\n'),
    `variables must be a mapping
  at group_vars/all.yml:1:1
  expected: \`name: value\`, one a line
  found:    a list`,
  ],
  [
    'a malformed line, without its password',
    groupVars('ansible_password: "geheim" b\n'),
    `group_vars/all.yml is not valid YAML: bad indentation of a mapping entry
  at group_vars/all.yml:1:28
  found:    ansible_password: ***`,
  ],
  [
    'several mistakes at once',
    groupVars('vip: { router_id: 256 }\nnfs: { version: 3 }\n'),
    `\`vip.router_id\` is not valid
  at group_vars/all.yml:1:8
  expected: a whole number from 1 to 255
  found:    256
  next:     also group_vars/all.yml:2:8: \`nfs.version\` is not valid`,
  ],
  [
    'group_vars of no group',
    { 'hosts.yml': one, 'group_vars/al.yml': '' },
    `no group is called al
  at group_vars/al.yml
  next:     did you mean all?`,
  ],
  [
    'host_vars of no host',
    { 'hosts.yml': one, 'host_vars/rpi2.yml': '' },
    `no host is called rpi2
  at host_vars/rpi2.yml
  next:     did you mean rpi1?`,
  ],
  [
    'variables in two places',
    { 'hosts.yml': one, 'group_vars/all.yml': '', 'group_vars/all/x.yml': '' },
    `the variables of group all stand in two places
  at group_vars/all.yml
  found:    group_vars/all and group_vars/all.yml
  next:     keep one of them, or put both files into the directory group_vars/all`,
  ],
  [
    'malformed group_vars',
    groupVars('vip:\n address: 1\n  port: 2\n'),
    `group_vars/all.yml is not valid YAML: bad indentation of a mapping entry
  at group_vars/all.yml:3:7
  found:    port: 2`,
  ],
  [
    'an address that two hosts have',
    two + '    rpi3: { ansible_host: 10.0.0.2 }\n',
    `rpi2 and rpi3 have the same address
  at hosts.yml:5:13
  found:    10.0.0.2`,
  ],
  [
    'a virtual address that a host has',
    groupVars('vip:\n  address: 10.0.0.1\n'),
    `the virtual address is the address of rpi1
  at group_vars/all.yml:2:3
  expected: an address that no host has
  found:    10.0.0.1
  next:     set vip.address in group_vars/all.yml to a free address`,
  ],
  [
    'an address pool around the hosts',
    groupVars('swarm:\n  address_pool: [10.200.0.0/16, 10.0.0.0/8]\n'),
    `swarm.address_pool 10.0.0.0/8 overlaps with your network
  at group_vars/all.yml:2:3
  expected: a network that no host is in
  found:    10.0.0.1 is in it`,
  ],
  [
    'two servers on a port',
    groupVars('nginx:\n  port: 80\n'),
    `nginx.port and haproxy.port have the same port
  at group_vars/all.yml:2:3
  found:    80
  next:     give nginx.port another port`,
  ],
  [
    'a port that SSH has',
    groupVars('haproxy: { stats_port: 22 }'),
    `haproxy.stats_port and SSH have the same port
  at group_vars/all.yml:1:12
  found:    22
  next:     give haproxy.stats_port another port`,
  ],
  [
    'two NFS servers',
    two + 'nfs_server: { hosts: { "rpi[1:2]": } }\n',
    `nfs_server has more than one host
  at hosts.yml:5:25
  expected: one host, which keeps the content
  found:    rpi1, rpi2`,
  ],
  [
    'a manager that is a worker',
    two + 'managers: { hosts: { rpi1: } }\nworkers: { hosts: { rpi1: } }\n',
    `rpi1 cannot be both manager and worker
  at hosts.yml:6:21
  next:     leave it in one of the groups; a manager runs containers too`,
  ],
]

describe('An inventory error', () => {
  for (const [title, files, expected] of cases) {
    it(`tells ${title}`, async () => assert.equal(await complaint(files), expected))
  }

  it('tells a path that is not there', async () => {
    await assert.rejects(loadInventory('no/such/place', {}), (error) => {
      return error instanceof InputError && error.message === 'there is no inventory no/such/place'
    })
  })

  it('comes at once, however often an alias is repeated inside another', async () => {
    const levels = Array.from({ length: 20 }, (_, n) => `  l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(9)}]\n`)
    const text = await complaint(groupVars(`extra:\n  l0: &l0 x\n${levels.join('')}vipp: 1\n`))
    assert.match(text, /unknown variable `vipp`/)
  })

  it('comes at once, however often a group is repeated inside another', async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const children = Array.from({ length: 9 }, (_, child) => `g${level}x${child}: *l${level}`)
      return `l${level + 1}: &l${level + 1} { children: { ${children.join(', ')} } }\n`
    })
    const text = await complaint(`l0: &l0 { hosts: { rpi1: } }\n${levels.join('')}`)
    assert.match(text, /host rpi1 has no address/)
  })

  it('comes at once from a file of empty lines', async () => {
    const start = performance.now()
    assert.match(await complaint('\n'.repeat(200_000)), /hosts\.yml is empty/)
    assert.ok(performance.now() - start < 5000)
  })

  it('tells a directory of variables that holds itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'bramble-loop-'))
    try {
      await writeFile(join(directory, 'hosts.yml'), one)
      await mkdir(join(directory, 'group_vars/all'), { recursive: true })
      for (const name of ['a', 'b']) await symlink('.', join(directory, 'group_vars/all', name))
      await assert.rejects(loadInventory(directory, {}), /InputError: .*group_vars\/all\/a holds itself/)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('never shows a password', async () => {
    const text = await complaint(groupVars('haproxy: { stats_password: 4711 }\nansible_password: [geheim]'))
    assert.match(text, /stats_password/)
    assert.doesNotMatch(text, /4711|geheim/)
  })
})

describe('Any text as an inventory', () => {
  const words = `all hosts children vars rpi[1:3] rpi1 ansible_host 10.0.0.1 vip address &a *a << !!binary !x { } [ ] :
    - , " ' | # __proto__ ~ 0644 .nan --- ?`
  const word = fc.constantFrom(...words.split(/\s+/), ': ', '- ', '? ', '\n', '\n  ', '\n    ', '\t')
  it('gives an inventory or an InputError', async () => {
    const text = fc.oneof(
      fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(text, text, async (hostsYml, vars) => {
        for (const files of [{ 'hosts.yml': hostsYml }, groupVars(vars)]) {
          await inventoryOf(files).catch((error: unknown) =>
            assert.ok(error instanceof InputError, String(error)),
          )
        }
      }),
      { numRuns: 300, seed },
    )
  })
})
