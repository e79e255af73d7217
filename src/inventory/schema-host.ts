import * as z from 'zod'
import * as v from './values.ts'

/** Settings that may differ from host to host. */
export const hostShape = {
  address: v.ipv4.optional().describe('Static IPv4 address inside the cluster. Default: ansible_host'),
  interface: v.interfaceName.optional().describe('Network interface of that address; beats vip.interface'),
  labels: z
    .record(v.matching(/^[\w.-]+$/, 'a label name'), v.text('text'), {
      error: 'labels, one `name: text` a line',
    })
    .default({})
    .describe('Node labels in the swarm'),
  known_hosts: v
    .text('a file')
    .optional()
    .describe(
      'File of known host keys, the only one. Default: .bramble/known_hosts of the project, and your own',
    ),
  host_keys: v
    .oneOf(['accept-new', 'strict'])
    .optional()
    .describe(
      'Whether the key of a host that nobody knows yet is recorded, or refused. Default: accept-new, unless ssh_config says StrictHostKeyChecking yes',
    ),
  proxy_command: v
    .text('a command')
    .optional()
    .describe('Command whose standard input and output are the connection; %h and %p are host and port'),
  proxy_jump: v
    .text('jump hosts such as pi@gate.example.org')
    .optional()
    .describe(
      'Jump hosts on the way, in order: [user@]host[:port], with commas between; proxy_command beats it',
    ),
  extra: z
    .record(z.string(), z.unknown(), { error: 'a mapping' })
    .default({})
    .describe('Variables of your own, for your playbooks and templates'),
  ansible_host: v.address
    .optional()
    .describe('Address to connect to. Default: HostName of ssh_config, or the address'),
  ansible_port: v.port.optional().describe('SSH port. Default: Port of ssh_config, or 22'),
  ansible_user: v
    .text('a user name')
    .optional()
    .describe('SSH user. Default: User of ssh_config, or your own user name'),
  ansible_ssh_private_key_file: v
    .text('a file')
    .optional()
    .describe('SSH private key. Default: IdentityFile of ssh_config, or what ssh-agent and ~/.ssh have'),
  ansible_password: v.secret.optional().describe('SSH password'),
  ansible_become: v.boolean.optional().describe('Use sudo. Default: true unless the user is root'),
  ansible_become_password: v.secret.optional().describe('Password that sudo asks for'),
  ansible_become_pass: v.secret.optional().describe('Same as ansible_become_password'),
  ansible_timeout: v
    .number(1, 600)
    .optional()
    .describe('Seconds to wait for the connection. Default: ConnectTimeout of ssh_config, or 10'),
  ansible_connection: v
    .oneOf(['ssh'], ': hosts are reached by SSH only')
    .optional()
    .describe('Hosts are reached by SSH only'),
  ansible_become_method: v
    .oneOf(['sudo'], ': root is had by sudo only')
    .optional()
    .describe('Root is had by sudo only'),
  ansible_become_user: v
    .oneOf(['root'], ': for another user a task has becomeUser')
    .optional()
    .describe('Tasks run as root unless they name a user with becomeUser'),
  ansible_python_interpreter: z.unknown().optional().describe('Not needed: hosts need no Python. Ignored'),
}

const noProgram =
  'no ssh program is run: write proxy_jump, proxy_command, known_hosts or host_keys, or use ~/.ssh/config'

/** Why some of Ansible's variables are not taken, and what to write instead. */
export const unsupported: Readonly<Record<string, string>> = {
  ansible_ssh_host: 'an old name: write ansible_host',
  ansible_ssh_port: 'an old name: write ansible_port',
  ansible_ssh_user: 'an old name: write ansible_user',
  ansible_ssh_pass: 'an old name: write ansible_password',
  ansible_ssh_password: 'write ansible_password',
  ansible_private_key_file: 'write ansible_ssh_private_key_file',
  ansible_ssh_timeout: 'write ansible_timeout',
  ansible_sudo_pass: 'an old name: write ansible_become_password',
  ansible_ssh_common_args: noProgram,
  ansible_ssh_extra_args: noProgram,
  ansible_ssh_args: noProgram,
  ansible_host_key_checking: 'write host_keys: strict or accept-new',
  ansible_ssh_host_key_checking: 'write host_keys: strict or accept-new',
  ansible_shell_type: 'a POSIX sh is always used: leave it out',
  ansible_shell_executable: 'a POSIX sh is always used: leave it out',
  ansible_group_priority: 'a child group beats its parents; make the group a child of the one it shall beat',
}
