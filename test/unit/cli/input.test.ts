import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterStatus } from '../../../src/status/types.ts'
import { commandLine } from './bramble.ts'

const inventory = `all:
  hosts:
    rpi1: { ansible_host: 127.0.0.1, ansible_port: 1, ansible_user: root }
    rpi2: { ansible_host: 127.0.0.2, ansible_port: 1, ansible_user: root }
  children:
    managers: { hosts: { rpi1: } }
`
const playbook = (tasks: string) => `import { command, playbook, sh, template } from 'bramble'
export default playbook({
  name: 'test',
  plays: [{ name: 'one', hosts: 'all', tasks: (host, { template: read }) => ${tasks} }],
})
`
const fine = playbook(
  "[command({ title: 'prune', tags: ['web', 'prune'], run: sh`true`, creates: '/srv/never' })]",
)

interface Case {
  words: string[]
  files?: Record<string, string>
  env?: Record<string, string>
  says: RegExp
}

const cases: Record<string, Case> = {
  'no command': { words: [], says: /^Name a command; bramble --help lists them/ },
  'an unknown command': {
    words: ['brambleberry'],
    says: /^Unknown command: brambleberry\n {2}next: +bramble --help$/,
  },
  'a word that every object of JavaScript knows, for a command': {
    words: ['constructor'],
    says: /^Unknown command: constructor\n/,
  },
  'another such word': { words: ['__proto__'], says: /^Unknown command: __proto__\n/ },
  'tags that are none': {
    words: ['apply', 'site.ts', '--tags', ','],
    says: /^--tags names no tag\n {2}expected: --tags a,b$/,
  },
  'a journal with a line that is no event': {
    words: ['apply', 'site.ts', '--failed'],
    files: { '.bramble/runs/1/events.jsonl': '{"type":"start"}\nnull\n' },
    says: /^--failed: the journal of the last run cannot be read\n {2}at .*\/runs\/1\/events\.jsonl:2\n {2}expected: an event, as JSON\n {2}found: +null\n {2}next: +Name the hosts with --limit\.$/,
  },
  'a journal with a line that is no JSON': {
    words: ['apply', 'site.ts', '--failed'],
    files: { '.bramble/runs/1/events.jsonl': '{"type":"fai\n{"type":"failed","host":"rpi1"}\n' },
    says: /events\.jsonl:1\n[^]*found: +\{"type":"fai\n/,
  },
  'a journal that is a directory': {
    words: ['apply', 'site.ts', '--failed'],
    files: { '.bramble/runs/1/events.jsonl/x': '' },
    says: /^--failed: the journal of the last run cannot be read\n {2}at .*\/events\.jsonl\n/,
  },
  'a command that is misspelt': { words: ['aply'], says: /^Did you mean apply\?/ },
  'an unknown flag': {
    words: ['apply', '--rosses'],
    says: /^Unknown argument: rosses\n {2}next: +bramble apply --help$/,
  },
  'a word too many': { words: ['apply', 'site.ts', 'rpi1'], says: /^Unknown (argument|command): rpi1/ },
  'an unknown output': {
    words: ['apply', '-o', 'xml'],
    says: /Given: "xml", Choices: "tty", "lines", "json"/,
  },
  'an unknown output in the environment': {
    words: ['apply', 'site.ts'],
    env: { BRAMBLE_OUTPUT: 'xml' },
    says: /^BRAMBLE_OUTPUT is xml\n {2}expected: tty, lines or json$/,
  },
  'no fork': {
    words: ['apply', '--forks', '0'],
    says: /^--forks 0\n {2}expected: a whole number of at least 1$/,
  },
  'forks that are no number': { words: ['apply', '--forks', 'many'], says: /^--forks NaN/ },
  'half a fork': { words: ['apply', '--forks', '1.5'], says: /^--forks 1\.5/ },
  'no failed host to run again': {
    words: ['apply', 'site.ts', '--failed'],
    says: /^--failed: no host failed in the last run\n {2}next: +Run it without --failed\.$/,
  },
  'a password to be asked for where there is no terminal': {
    words: ['apply', 'site.ts', '-K'],
    says: /^there is no terminal to ask for the password\n {2}next: +Set BRAMBLE_BECOME_PASSWORD instead/,
  },
  'a limit given twice': {
    words: ['apply', 'site.ts', '-l', 'rpi1', '-l', 'rpi2'],
    says: /^--limit is given more than once\n {2}found: +rpi1, rpi2$/,
  },
  'an inventory that is not there': { words: ['apply', 'site.ts', '-i', 'garden'], says: /garden/ },
  'an unknown host': {
    words: ['apply', 'site.ts', '-l', 'rpi9'],
    says: /^no host and no group is called `rpi9`\n {2}next: +did you mean rpi\d\?$/,
  },
  'an unknown group': {
    words: ['apply', 'site.ts', '-l', 'manager'],
    says: /`manager`\n {2}next: +did you mean managers\?/,
  },
  'a limit that leaves no host': { words: ['apply', 'site.ts', '-l', 'all:!all'], says: /names no host/ },
  'a host apart, for a command that is about all without one': {
    words: ['reset', '--yes', '--', 'rpi2'],
    says: /^bramble reset runs no command\n {2}found: +-- rpi2\n {2}next: +leave the -- out$/,
  },
  'a word apart, for a command of several words': {
    words: ['node', 'remove', 'rpi1', '--', 'rpi2'],
    says: /^bramble node runs no command\n {2}found: +-- rpi2\n/,
  },
  'a folder for the report of a drill that is a file': {
    words: ['drill', 'calm', '--yes', '--report', 'site.ts'],
    says: /^the report cannot be written there\n {2}at site\.ts\n {2}found: +EEXIST.*\n {2}next: +name another folder with --report$/,
  },
  'an unknown host for exec': { words: ['exec', 'rpi9', '--', 'true'], says: /`rpi9`/ },
  'an unknown host for facts': { words: ['facts', 'rpi9'], says: /`rpi9`/ },
  'an unknown host for status': { words: ['status', '-l', 'rpi9'], says: /`rpi9`/ },
  'a form of output that there is none of': { words: ['status', '-o', 'yaml'], says: /yaml/ },
  'no command for exec': {
    words: ['exec', 'all'],
    says: /^no command given\n {2}next: +bramble exec all -- uptime$/,
  },
  'no time for exec': {
    words: ['exec', 'all', '--timeout', 'soon', '--', 'true'],
    says: /^--timeout NaN\n {2}expected: seconds, at least 1$/,
  },
  'a password that is not in quotes': {
    words: ['apply', 'site.ts'],
    files: { 'inventory/group_vars/all.yml': 'haproxy:\n  stats_password: !blackthorn\n' },
    says: /^inventory\/group_vars\/all\.yml is not valid YAML: unknown scalar tag …\n((?!blackthorn)[^])*$/,
  },
  'another one': {
    words: ['apply', 'site.ts'],
    files: { 'inventory/group_vars/all.yml': 'haproxy:\n  stats_password: *blackthorn\n' },
    says: /^inventory\/group_vars\/all\.yml is not valid YAML: unidentified alias …\n((?!blackthorn)[^])*$/,
  },
  'no drill': {
    words: ['drill'],
    says: /^no drill is named\n {2}expected: calm, haproxy-kill, .*all-off\n {2}next: +bramble drill --list tells what each does; --all runs all of them$/,
  },
  'an unknown drill': {
    words: ['drill', 'web-powr'],
    says: /^there is no drill web-powr\n {2}next: +did you mean web-power\?$/,
  },
  'all drills and one': {
    words: ['drill', 'vip-power', '--all'],
    says: /^--all runs every drill, and some are named\n {2}found: +vip-power$/,
  },
  'all drills, which nobody can confirm': {
    words: ['drill', '--all'],
    says: /^there is no terminal to confirm in\n/,
  },
  'a drill that needs a plug pulled': {
    words: ['drill', 'nginx-kill', 'vip-power', '--yes'],
    says: /^vip-power cannot be run here: it needs somebody who cuts the power\n {2}next: +Virtual Pis have plugs that a program can pull: bramble lab up,/,
  },
  'a drill that the cluster does not fit': {
    words: ['drill', 'nginx-kill', 'nfs-hang', '--yes'],
    says: /^nfs-hang cannot be run here: there is no NFS server\n {2}next: +bramble drill --all leaves out what a cluster does not fit$/,
  },
  'a drill that nobody can confirm': {
    words: ['drill', 'nginx-kill'],
    says: /^there is no terminal to confirm in\n {2}expected: yes to: .*\n {2}next: +give --yes; bramble drill --list tells what each drill does$/,
  },
  'an unknown variable': {
    words: ['apply', 'site.ts'],
    files: { 'inventory/group_vars/all.yml': 'vip:\n  adress: 10.0.0.9\n' },
    says: /^unknown setting `vip\.adress`\n {2}at inventory\/group_vars\/all\.yml:2:3\n {2}next: +did you mean address\?$/,
  },
  'malformed YAML': {
    words: ['apply', 'site.ts'],
    files: { 'inventory/hosts.yml': 'all:\n  hosts:\n    rpi1: { ansible_host: 127.0.0.1\n' },
    says: /inventory\/hosts\.yml:\d+:\d+/,
  },
  'a playbook that is not there': { words: ['apply', 'roses.ts'], says: /^there is no playbook roses\.ts/ },
  'a playbook that does not compile': {
    words: ['apply', 'site.ts'],
    files: { 'site.ts': 'const a = 1\nconst = 2\n' },
    says: /^the playbook does not compile\n {2}at site\.ts:2:7\n/,
  },
  'a playbook that throws': {
    words: ['apply', 'site.ts'],
    files: { 'site.ts': "const roses: string[] = []\nthrow new Error('no roses')\n" },
    says: /^site\.ts throws: no roses\n {2}at site\.ts:2:7$/,
  },
  'a playbook that throws for a host': {
    words: ['apply', 'site.ts'],
    files: { 'site.ts': playbook('{\n    throw new Error(`no roses on ${host.name}`)\n  }') },
    says: /^site\.ts throws: no roses on rpi1\n {2}at site\.ts:5:11$/,
  },
  'a wrong option of a task': {
    words: ['apply', 'site.ts'],
    files: {
      'site.ts': playbook("[template({ path: 'etc/motd', source: { name: 'x', text: '' }, variables: {} })]"),
    },
    says: /^a path on a host has to be absolute\n {2}at site\.ts:4:\d+\n/,
  },
  'a template that is not there': {
    words: ['apply', 'site.ts'],
    files: {
      'site.ts': playbook("[template({ path: '/etc/motd', source: read('mtd.ejs'), variables: {} })]"),
      'templates/motd.ejs': 'hello\n',
    },
    says: /^there is no template mtd\.ejs\n {2}at site\.ts:4:\d+\n {2}expected: a file templates\/mtd\.ejs\n {2}found: +motd\.ejs$/,
  },
  'a template with a missing variable': {
    words: ['apply', 'site.ts'],
    files: {
      'site.ts': playbook("[template({ path: '/etc/motd', source: read('motd.ejs'), variables: {} })]"),
      'templates/motd.ejs': 'hello\n<%= nobody %>\n',
    },
    says: /nobody[^]*motd\.ejs:2/,
  },
  'a folder for a new project that is not empty': {
    words: ['init'],
    says: /^\. is not empty\n {2}next: +Name a new directory: bramble init my-cluster$/,
  },
  'a file where a new project shall be': { words: ['init', 'site.ts'], says: /^site\.ts is a file/ },
}

describe('bad input on the command line', () => {
  const line = commandLine()

  for (const [what, { words, files, env, says }] of Object.entries(cases)) {
    it(`${what} is refused with 1, and nothing touched`, async () => {
      const all = { 'inventory/hosts.yml': inventory, 'site.ts': fine, ...files }
      for (const [name, text] of Object.entries(all)) line.put(name, text)
      const directory = join(line.folder, '.bramble/runs')
      const runs = () => (existsSync(directory) ? readdirSync(directory) : [])
      const before = runs()
      const { code, stdout, stderr } = await line.bramble(words, env)
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr.trimEnd(), says)
      assert.doesNotMatch(stderr, /bug in bramble/)
      assert.deepEqual(runs(), before, 'no run was begun')
    })
  }
})

describe('the command line', () => {
  const line = commandLine()
  beforeEach(() => {
    line.put('inventory/hosts.yml', inventory)
    line.put('site.ts', fine)
  })

  it('tells of a drill that finds no host with 4, and leaves no report', async () => {
    const { code, stderr } = await line.bramble(['drill', 'calm', '--yes'])
    assert.deepEqual([code, existsSync(join(line.folder, '.bramble/drills'))], [4, false])
    assert.match(stderr, /^no host could be reached\n {2}found: +rpi1: root@127\.0\.0\.1:1 cannot be reached/)
  })

  it('lists the drills, and what clients may notice of each', async () => {
    const { code, stdout } = await line.bramble(['drill', '--list'])
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^haproxy-kill +HAProxy killed \(-9\) on the holder of the virtual IP[^]*longest gap.*2000 ms/m,
    )
  })

  it('tells hosts that cannot be reached with 4, and the summary as the last line of json', async () => {
    const { code, stdout, stderr } = await line.bramble(['apply', 'site.ts', '-o', 'json'])
    assert.deepEqual([code, stderr], [4, ''])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>)
    const { type, ok, ms, hosts } = lines.at(-1) as {
      type: string
      ok: boolean
      ms: number
      hosts: Record<string, Record<string, unknown>>
    }
    assert.deepEqual(
      [type, ok, typeof ms, Object.keys(hosts)],
      ['summary', false, 'number', ['rpi1', 'rpi2']],
    )
    const { ok: fine, changed, failed, skipped, trips, unreachable } = hosts['rpi1'] ?? {}
    assert.deepEqual([fine, changed, failed, skipped, trips, unreachable], [0, 0, 0, 0, 0, true])
    assert.equal(lines.filter((event) => event['type'] === 'summary').length, 1)
  })

  it('tells the same where no play is for the others', async () => {
    line.put('one.ts', fine.replace("hosts: 'all'", "hosts: 'managers'"))
    const { code, stderr } = await line.bramble(['apply', 'one.ts'])
    assert.deepEqual([code, stderr], [4, ''])
  })

  it('tells the same for exec', async () => {
    const { code, stdout, stderr } = await line.bramble(['exec', 'all', '--', 'true'])
    assert.deepEqual([code, stdout], [4, ''])
    assert.match(stderr, /^rpi1: root@127\.0\.0\.1:1 cannot be reached$/m)
  })

  it('tells the same for status, as one object with all that is known', async () => {
    const { code, stdout, stderr } = await line.bramble(['status', '-o', 'json'])
    assert.deepEqual([code, stderr, stdout.split('\n').length], [4, '', 2])
    const { ok, nodes, services, problems } = JSON.parse(stdout) as ClusterStatus
    assert.deepEqual([ok, services], [false, null])
    assert.deepEqual(
      nodes.map(({ name, reachable }) => [name, reachable]),
      [
        ['rpi1', false],
        ['rpi2', false],
      ],
    )
    assert.match(problems[0]?.what ?? '', /^rpi1: root@127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/)
  })

  it('shows a status on one screen, of the hosts that are asked for, with commands for that inventory', async () => {
    line.put('lab/hosts.yml', inventory)
    const { code, stdout } = await line.bramble(['status', '-i', 'lab', '-l', 'rpi2', '-o', 'lines'])
    assert.equal(code, 4)
    assert.match(stdout, /^ha-stack {3}1 problem +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n/)
    assert.match(stdout, /\nrpi2 .*no answer/)
    assert.match(stdout, /\n {2}bramble exec rpi2 -i lab -- uptime\n$/)
    assert.doesNotMatch(stdout, /rpi1|\p{Cc}\[/u)
  })

  it('gives the command that tries again, with the flags that matter', async () => {
    line.put('lab/hosts.yml', inventory)
    const words = ['apply', 'site.ts', '-i', 'lab', '--tags', 'web', '--check', '-l', 'rpi2', '-o', 'lines']
    const { stdout } = await line.bramble(words)
    assert.match(stdout, /^retry: +bramble apply site\.ts --tags web -i lab --check --limit rpi2$/m)
    const slow = await line.bramble(['apply', 'site.ts', '--timeout', '600', '--forks', '1', '-o', 'lines'])
    assert.match(slow.stdout, /^retry: +bramble apply site\.ts --forks 1 --timeout 600$/m)
  })

  it('writes nothing into an inventory when a password cannot be asked for', async () => {
    const before = readFileSync(join(line.folder, 'inventory/hosts.yml'), 'utf8')
    line.put('playbooks/site.ts', fine)
    const words = ['node', 'add', 'rpi3', '--address', '10.0.0.3', '--groups', 'managers', '-K']
    const { code, stderr } = await line.bramble(words)
    assert.equal(code, 1)
    assert.match(stderr, /there is no terminal to ask for the password/)
    assert.equal(readFileSync(join(line.folder, 'inventory/hosts.yml'), 'utf8'), before)
  })

  it('tells a replacement that cannot be reached with 4, in check mode, too', async () => {
    line.put('playbooks/site.ts', fine)
    for (const flag of ['--yes', '--check']) {
      const { code, stderr } = await line.bramble(['node', 'replace', 'rpi2', flag])
      assert.equal(code, 4, stderr)
      assert.match(stderr, /^rpi2: .* cannot be reached/m)
    }
  })

  it('is no success when what it prints cannot be written', () => {
    const program = join(import.meta.dirname, '../../../bin/bramble')
    const { status, stderr } = spawnSync('sh', [
      '-c',
      'exec "$0" "$1" --help >/dev/full',
      process.execPath,
      program,
    ])
    assert.equal(status, 1)
    assert.match(stderr.toString(), /^cannot write to stdout: ENOSPC/)
  })

  it('ends once a reader has taken all that it prints', () => {
    const hosts = Array.from({ length: 10_000 }, (_, index) => {
      return `    rose${index}: { ansible_host: 10.0.${index >> 8}.${index & 255} }\n`
    })
    line.put('garden/hosts.yml', `all:\n  hosts:\n${hosts.join('')}`)
    const program = join(import.meta.dirname, '../../../bin/bramble')
    const list = (to: string) =>
      spawnSync('sh', ['-c', `"$0" "$1" list hosts -i garden ${to}`, process.execPath, program], {
        cwd: line.folder,
        encoding: 'utf8',
      }).stdout
    list('>all')
    const all = readFileSync(join(line.folder, 'all'), 'utf8')
    assert.ok(all.length > 150_000, 'more than a pipe holds')
    assert.equal(list('| wc -c').trim(), String(all.length))
  })

  it('runs again just the hosts that failed', async () => {
    await line.bramble(['apply', 'site.ts', '-l', 'rpi2'])
    const { stdout } = await line.bramble(['apply', 'site.ts', '--failed', '-o', 'json'])
    const start = JSON.parse(stdout.split('\n')[0] ?? '') as { hosts: string[] }
    assert.deepEqual(start.hosts, ['rpi2'])
  })

  it('reads the failed hosts also from a journal that was cut off', async () => {
    await line.bramble(['apply', 'site.ts', '-l', 'rpi1'])
    const runs = join(line.folder, '.bramble/runs')
    const file = join(runs, readdirSync(runs)[0] ?? '', 'events.jsonl')
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20))
    mkdirSync(join(runs, '99990101T000000.000Z-1'))
    const { code, stdout } = await line.bramble(['apply', 'site.ts', '--failed', '-o', 'json'])
    assert.equal(code, 4)
    assert.deepEqual((JSON.parse(stdout.split('\n')[0] ?? '') as { hosts: string[] }).hosts, ['rpi1'])
  })

  const tags: [words: string[], unknown?: string][] = [
    [['--tags', 'web', 'site.ts']],
    [['--tags', 'nfs', 'site.ts'], 'nfs'],
    [['--tags', 'web,prune', 'site.ts']],
    [['--tags', 'web', '--tags', 'prune', 'site.ts']],
    [['--tags', 'web,nfs', 'site.ts'], 'nfs'],
    [['--tags=nfs', '--tags=vip', 'site.ts'], 'nfs,vip'],
  ]
  for (const [words, unknown] of tags) {
    const what = unknown === undefined ? 'takes the task with that tag' : 'refuses the tag that no task has'
    it(`apply ${words.join(' ')} ${what}`, async () => {
      const { code, stderr } = await line.bramble(['apply', ...words])
      const error = `--tags ${unknown}: no play and no task has this tag\n  expected: prune, web\n`
      assert.deepEqual([code, stderr], unknown === undefined ? [4, ''] : [1, error])
    })
  }

  const known: [what: string, file: string, says: RegExp][] = [
    ['of a kind that nobody knows', 'known', /127\.0\.0\.1:1 cannot be reached\n {2}found: .*ECONNREFUSED/],
    [
      'in a file that cannot be read',
      'inventory',
      /the known host keys cannot be read\n {2}at .*\/inventory\n/,
    ],
  ]
  for (const [what, file, says] of known) {
    it(`tells of a host key ${what}`, async () => {
      line.put('known', '[127.0.0.1]:1 roses AAAA\n')
      line.put('inventory/group_vars/all.yml', `known_hosts: ${join(line.folder, file)}\n`)
      const { code, stderr } = await line.bramble(['exec', 'rpi1', '--', 'true'])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /bug in bramble/)
      assert.ok(code === 2 || code === 4)
    })
  }

  it('takes settings from the environment, which the flags beat', async () => {
    line.put('garden/hosts.yml', 'all:\n  hosts:\n    rose: { ansible_host: 10.0.0.1 }\n')
    const env = { BRAMBLE_INVENTORY: 'garden' }
    assert.match((await line.bramble(['list', 'hosts'], env)).stdout, /^rose /)
    assert.match((await line.bramble(['list', 'hosts', '-i', 'inventory'], env)).stdout, /^rpi1 /)
  })

  it('keeps the passwords of the inventory out of what it prints', async () => {
    const password = 'blackthorn-winter-9'
    line.put(
      'inventory/host_vars/rpi1.yml',
      `ansible_password: ${password}\nansible_become_password: ${password}\n`,
    )
    line.put('site.ts', playbook(`[command({ title: 'say ${password}', run: sh\`true\`, creates: '/x' })]`))
    for (const output of ['lines', 'json']) {
      const { stdout, stderr } = await line.bramble(['apply', 'site.ts', '-v', '-o', output])
      assert.doesNotMatch(stdout + stderr, /blackthorn/)
    }
  })

  it('lists hosts with their groups', async () => {
    const { code, stdout } = await line.bramble(['list', 'hosts'])
    assert.deepEqual([code, stdout.split('\n')[0]], [0, 'rpi1  127.0.0.1        all, managers'])
    assert.equal((await line.bramble(['list', 'hosts', '-l', 'rpi2'])).stdout.split('\n').length, 2)
  })

  it('lists the tasks of a playbook, and what depends on facts', async () => {
    line.put(
      'site.ts',
      `import { command, playbook, sh } from 'bramble'
       const tasks = () => [command({ title: 'prune', run: sh\`true\`, creates: '/x' })]
       const later = (host, { facts }) => [command({ title: facts.get('rpi1', 'token'), run: sh\`true\`, creates: '/x' })]
       export default playbook({ name: 'test', plays: [
         { name: 'one', hosts: 'managers', tasks }, { name: 'two', hosts: 'rpi2', tasks: later }] })`,
    )
    const { code, stdout } = await line.bramble(['list', 'tasks', '--playbook', 'site.ts'])
    assert.equal(code, 0)
    assert.equal(
      stdout,
      'one · rpi1\n  prune\ntwo · rpi2\n  (depends on what hosts tell: the token of rpi1)\n',
    )
  })

  it('makes a project that is ready to edit', async () => {
    const { code, stdout } = await line.bramble(['init', 'roses'])
    assert.equal(code, 0)
    assert.match(stdout, /^A cluster project is in roses\. Next:\n {2}1\. roses\/inventory\/hosts\.yml/)
    const hosts = await line.bramble(['list', 'hosts'], {}, 'roses')
    assert.deepEqual([hosts.code, hosts.stderr], [0, ''])
    assert.match(hosts.stdout, /^rpi1 .*\nrpi2 .*\nrpi3 .*\nrpi4 /)
    const tasks = await line.bramble(['list', 'tasks'], {}, 'roses')
    assert.deepEqual([tasks.code, tasks.stderr], [0, ''])
    const lab = await line.bramble(['list', 'hosts', '-i', 'inventory/lab'], {}, 'roses')
    assert.deepEqual([lab.code, lab.stderr], [0, ''])
    const again = await line.bramble(['init', 'roses'])
    assert.equal(again.code, 1)
    assert.match(again.stderr, /^roses is not empty/)
  })

  it('makes a project in a folder that holds only a repository, and keeps its .gitignore', async () => {
    line.put('roses/.gitignore', '*.bak\n')
    const { code } = await line.bramble(['init'], {}, 'roses')
    assert.equal(code, 0)
    assert.equal(readFileSync(join(line.folder, 'roses/.gitignore'), 'utf8'), '*.bak\n')
  })

  const help: Record<string, string[]> = {
    '': ['apply', 'status', 'list', 'exec', 'init', 'secret', 'lab'],
    apply: [
      'inventory',
      'limit',
      'tags',
      'check',
      'diff',
      'failed',
      'forks',
      'ask-become-pass',
      'output',
      'verbose',
    ],
    list: ['inventory', 'playbook', 'limit', '"hosts", "tasks"'],
    exec: ['inventory', 'pattern', 'timeout', 'ask-become-pass'],
    facts: ['inventory', 'pattern', 'ask-become-pass'],
    drill: ['inventory', 'all', 'list', 'report', 'ask-become-pass'],
    content: ['push'],
    'content push': ['directory', 'delete', 'check', 'diff', 'ask-become-pass'],
    status: ['inventory', 'ask-become-pass', 'limit', 'watch', 'output'],
    init: ['directory'],
    lab: ['up', 'down', 'status', 'ssh', 'exec', 'kill', 'start', 'reflash', 'cut', 'heal'],
    secret: ['set', 'get', 'edit', 'list', 'remove', 'rekey', 'keygen'],
    'lab up': ['count', 'flavour', 'fresh', 'arch', 'memory'],
  }
  for (const [command, words] of Object.entries(help)) {
    it(`explains all of bramble ${command}`, async () => {
      const { code, stdout, stderr } = await line.bramble([...command.split(' ').filter(Boolean), '--help'])
      assert.deepEqual([code, stderr], [0, ''])
      for (const word of words) assert.ok(stdout.includes(word), `${word} is not in:\n${stdout}`)
    })
  }

  it('tells its version', async () => {
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
    ) as { version: string }
    assert.equal((await line.bramble(['--version'])).stdout, `${version}\n`)
  })
})
