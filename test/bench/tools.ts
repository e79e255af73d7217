import { dump } from 'js-yaml'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ansibleConfig, ansibleFiles } from './ansible.ts'
import type { Farm, FarmHost } from './farm.ts'
import type { Command } from './measure.ts'

export const toolNames = ['floor', 'bramble', 'ansible', 'mitogen'] as const
export type ToolName = (typeof toolNames)[number]

/** How each tool does the same to the same hosts. */
export interface Tools extends Record<ToolName, Command> {
  /** Options for OpenSSH that reach the hosts, and read no file of the user. */
  ssh: readonly string[]
  inventory: string
  directory: string
}

export const program = resolve(import.meta.dirname, '../../bin/bramble')

/** Writes inventory and playbooks for some hosts of a farm into a directory below the farm's; returns the commands. */
export function makeTools(farm: Farm, name: string, hosts: readonly FarmHost[]): Tools {
  const directory = join(farm.directory, name)
  mkdirSync(join(directory, 'control'), { recursive: true })
  const put = (file: string, text: string): string => {
    writeFileSync(join(directory, file), text)
    return join(directory, file)
  }
  const { port, hostKey } = farm
  const keyFile = join(farm.directory, 'id_ed25519')
  const known = hosts.map(({ address }) => `[${address}]:${port} ${hostKey}\n`)
  const reach = { port, keyFile, knownHosts: put('known_hosts', known.join('')) }
  const inventory = put('hosts.yml', inventoryOf(hosts, reach))
  const ssh = ['-F', put('ssh_config', sshConfig(reach))]
  const config = put('ansible.cfg', ansibleConfig({ directory, forks: hosts.length, ssh }))
  for (const [file, text] of Object.entries(ansibleFiles())) put(file, text)
  const ansible: Command = {
    words: ['ansible-playbook', '-i', inventory, join(directory, 'site.yml')],
    environment: { ANSIBLE_CONFIG: config },
    directory,
  }
  const addresses = put('addresses', hosts.map(({ address }) => `${address}\n`).join(''))
  const parallel = ['xargs', '-a', addresses, '-P', String(hosts.length), '-I{}']
  return {
    ssh,
    inventory,
    directory,
    floor: { words: [...parallel, 'ssh', ...ssh, '{}', 'true'] },
    bramble: brambleCommand(directory, inventory, 'playbook.ts'),
    ansible,
    mitogen: { ...ansible, environment: { ANSIBLE_CONFIG: config, ANSIBLE_STRATEGY: 'mitogen_linear' } },
  }
}

/** `bramble apply` of a playbook beside this file, with a directory for a project. */
export function brambleCommand(directory: string, inventory: string, playbook: string): Command {
  const file = join(import.meta.dirname, playbook)
  return { words: [process.execPath, program, 'apply', file, '-i', inventory, '-o', 'json'], directory }
}

interface Reach {
  port: number
  keyFile: string
  knownHosts: string
}

/** One inventory for all tools. */
function inventoryOf(hosts: readonly FarmHost[], { port, keyFile, knownHosts }: Reach): string {
  const vars = {
    ansible_user: 'root',
    ansible_port: port,
    ansible_ssh_private_key_file: keyFile,
    known_hosts: knownHosts,
  }
  const each = hosts.map(({ name, address, root }) => [name, { ansible_host: address, extra: { root } }])
  return dump({ all: { vars, hosts: Object.fromEntries(each) as unknown } })
}

function sshConfig({ port, keyFile, knownHosts }: Reach): string {
  return `User root
Port ${port}
IdentityFile ${keyFile}
IdentitiesOnly yes
UserKnownHostsFile ${knownHosts}
BatchMode yes
`
}
