import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLine } from './bramble.ts'
import { copyShipped } from '../../shipped.ts'

const hosts = `all:
  vars: { ansible_user: root, ansible_port: 1 } # nobody listens there
  hosts:
    rpi1: { ansible_host: 127.0.0.1 }
    rpi2: { ansible_host: 127.0.0.2 }
    rpi3: { ansible_host: 127.0.0.3 }
  children:
    managers: { hosts: { rpi1: } }
    workers: { hosts: { rpi2: , rpi3: } }
    loadbalancers: { hosts: { rpi2: } }
    webservers: { hosts: { rpi3: } }
    nfs_server: { hosts: { rpi2: } }
`
const alone = `all: { hosts: { rpi1: { ansible_host: 127.0.0.1 } }, children: { managers: { hosts: { rpi1: } } } }\n`
const moreManagers = hosts.replace('{ rpi1: } }', '{ rpi1: , rpi2: , rpi3: } }').replace(/ +workers.*\n/, '')

interface Refusal {
  words: string[]
  files?: Record<string, string>
  says: RegExp
}

const refused: Record<string, Refusal> = {
  'to remove a host that is none': {
    words: ['remove', 'rpi4', '--yes'],
    says: /^no host is called rpi4\n[^]*known: rpi1, rpi2, rpi3|did you mean/,
  },
  'to remove nobody': { words: ['remove'], says: /^Not enough non-option arguments/ },
  'to remove the NFS server': {
    words: ['remove', 'rpi2', '--yes'],
    says: /^rpi2 cannot be removed: it is the NFS server, which keeps the content\n {2}next: +copy the share/,
  },
  'to remove the last load balancer': {
    words: ['remove', 'rpi2', '--yes'],
    files: { 'inventory/hosts.yml': hosts.replace('nfs_server: { hosts: { rpi2: } }', 'attic: {}') },
    says: /^rpi2 cannot be removed: it is the last load balancer\n {2}next: +put another host into loadbalancers/,
  },
  'to remove the last manager': {
    words: ['remove', 'rpi1', '--yes'],
    says: /^rpi1 cannot be removed: it is the last manager of the swarm\n {2}next: +put other hosts into managers/,
  },
  'to remove the last manager, though it is dead': {
    words: ['remove', 'rpi1', '--dead', '--yes'],
    says: /^rpi1 cannot be removed: it is the last manager of the swarm\n/,
  },
  'to remove the last web server': {
    words: ['remove', 'rpi3', '--yes'],
    says: /^rpi3 cannot be removed: it is the last web server\n/,
  },
  'to remove the last host': {
    words: ['remove', 'rpi1', '--yes'],
    files: { 'inventory/hosts.yml': alone },
    says: /^rpi1 cannot be removed: it is the last host\n {2}at inventory\/hosts\.yml\n {2}next: +bramble reset takes everything away/,
  },
  'to remove a host when nobody is there to be asked': {
    words: ['remove', 'rpi1'],
    files: { 'inventory/hosts.yml': moreManagers },
    says: /^warning: 2 managers survive the loss of none, as 1 would: take an odd number\n[^]*--yes/,
  },
  'to remove a host without the playbook of the site': {
    words: ['remove', 'rpi1', '--yes'],
    files: { 'inventory/hosts.yml': moreManagers, 'playbooks/site.ts': 'const = 2\n' },
    says: /^the playbook does not compile\n/,
  },
  'to remove a host without the playbook that takes its files away': {
    words: ['remove', 'rpi1', '--yes'],
    files: { 'inventory/hosts.yml': moreManagers, 'playbooks/reset.ts': 'const = 2\n' },
    says: /^the playbook does not compile\n {2}at playbooks\/reset\.ts/,
  },
  'a flag that remove has not': { words: ['remove', 'rpi3', '--force'], says: /Unknown argument: force/ },
  'to replace a host that is none': {
    words: ['replace', 'rpi9', '--yes'],
    says: /^no host is called rpi9\n {2}at inventory\n?/,
  },
  'to replace a host when nobody is there to be asked': { words: ['replace', 'rpi3'], says: /--yes/ },
  'to replace a host without the playbook of the site': {
    words: ['replace', 'rpi3', '--yes'],
    files: { 'playbooks/site.ts': 'const = 2\n' },
    says: /^the playbook does not compile\n/,
  },
  'to apply the playbook of reset, which would not ask': {
    words: ['apply', 'playbooks/reset.ts'],
    files: {
      'playbooks/reset.ts':
        "import { playbook } from 'bramble'\nexport default playbook({ name: 'reset', runBy: 'bramble reset', plays: [] })\n",
    },
    says: /^playbooks\/reset\.ts is run by bramble reset, which does more and asks first\n {2}next: +bramble reset --check/,
  },
  'to reset a host that is none': { words: ['reset', 'rpi9', '--yes'], says: /rpi9/ },
  'to reset all managers and leave the workers': {
    words: ['reset', 'managers', '--yes'],
    says: /^these are all managers of the cluster\n {2}expected: a manager that stays\n {2}next: +bramble reset takes the whole cluster away/,
  },
  'to reset all load balancers and leave a manager': {
    words: ['reset', 'rpi2:rpi3', '--yes'],
    files: {
      'inventory/hosts.yml': hosts.replace(
        'loadbalancers: { hosts: { rpi2: }',
        'loadbalancers: { hosts: { rpi2: , rpi3: }',
      ),
    },
    says: /^these are all load balancers of the cluster\n {2}expected: a load balancer that stays\n/,
  },
  'to reset when nobody is there to be asked': { words: ['reset'], says: /--yes/ },
  'to reset the NFS server when nobody is there to be told what that means': {
    words: ['reset', 'rpi2'],
    says: /rpi2 is the NFS server: the site is served from the mirrors until it is back\.\n[^]*--yes/,
  },
  'to upgrade a part of the cluster by --limit': {
    words: ['apply', 'playbooks/upgrade.ts', '-l', 'rpi3'],
    says: /an upgrade has to see the whole cluster, and rpi1 is not in this run\n[^]*--tags rpi3,rpi4/,
  },
  'to upgrade a host that is none': {
    words: ['apply', 'playbooks/upgrade.ts', '--tags', 'rpi9'],
    says: /^(warning: .*\n)*--tags rpi9: no play and no task has this tag\n/,
  },
  'an inventory that is not there': {
    words: ['remove', 'rpi3', '--yes', '-i', 'garden'],
    says: /garden/,
  },
}

describe('the commands for the life of nodes', () => {
  const line = commandLine()
  beforeEach(() => {
    line.put('inventory/hosts.yml', hosts)
    copyShipped(line.folder)
  })

  for (const [what, { words, files, says }] of Object.entries(refused)) {
    for (const more of ['', '--check']) {
      if (more === '--check' && says.source.endsWith('--yes')) continue
      it(`refuse ${what}${more && ', also where they are only to show it'}: 1, and nothing is touched`, async () => {
        for (const [name, content] of Object.entries(files ?? {})) line.put(name, content)
        const before = readFileSync(join(line.folder, 'inventory/hosts.yml'), 'utf8')
        const command = ['remove', 'replace'].includes(words[0] ?? '') ? ['node', ...words] : words
        const { code, stdout, stderr } = await line.bramble([...command, ...(more ? [more] : [])])
        assert.deepEqual([code, stdout], [1, ''], stderr)
        assert.match(stderr.trimEnd(), says)
        assert.doesNotMatch(stderr, /bug in bramble/)
        assert.equal(readFileSync(join(line.folder, 'inventory/hosts.yml'), 'utf8'), before)
        assert.deepEqual(connected(line.folder), [])
      })
    }
  }
})

/** What a run that connected would have left in the project. */
function connected(folder: string): string[] {
  const own = join(folder, '.bramble')
  return existsSync(own) ? readdirSync(own).filter((name) => /runs|known_hosts/.test(name)) : []
}
