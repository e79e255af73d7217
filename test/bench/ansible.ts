import { dump } from 'js-yaml'
import { tasks, type Task } from './tasks.ts'

const root = '{{ extra.root }}'
const owned = { owner: 'root', group: 'root' }

function moduleOf(task: Task): Record<string, unknown> {
  switch (task.kind) {
    case 'directory':
      return {
        'ansible.builtin.file': { path: `${root}/${task.path}`, state: 'directory', mode: '0755', ...owned },
      }
    case 'file':
      return {
        'ansible.builtin.copy': {
          dest: `${root}/${task.path}`,
          content: task.content,
          mode: '0644',
          ...owned,
        },
      }
    case 'template':
      return {
        'ansible.builtin.template': {
          dest: `${root}/${task.path}`,
          src: templateName(task.path),
          mode: '0644',
          ...owned,
        },
      }
    case 'line':
      return {
        'ansible.builtin.lineinfile': {
          path: `${root}/${task.path}`,
          regexp: task.match,
          line: task.line,
          create: true,
        },
      }
    case 'link':
      return {
        'ansible.builtin.file': {
          path: `${root}/${task.path}`,
          src: task.target,
          state: 'link',
          force: true,
        },
      }
    case 'packages':
      return { 'ansible.builtin.apt': { name: task.names, state: 'present' } }
  }
  return {
    'ansible.builtin.command': {
      cmd: `touch ${root}/${task.creates}`,
      creates: `${root}/${task.creates}`,
    },
  }
}

function templateName(path: string): string {
  return `${path.replaceAll('/', '-')}.j2`
}

/** The same tasks for Ansible: file names and their texts, to be put into one directory. */
export function ansibleFiles(): Record<string, string> {
  const play = {
    name: 'bench',
    hosts: 'all',
    gather_facts: true,
    tasks: tasks.map((task, index) => ({ name: `${index + 1} ${task.kind}`, ...moduleOf(task) })),
  }
  const templates = tasks.flatMap((task) =>
    task.kind === 'template'
      ? [
          [
            templateName(task.path),
            task.source
              .replaceAll('{{ name }}', '{{ inventory_hostname }}')
              .replaceAll('{{ address }}', '{{ ansible_host }}'),
          ] as const,
        ]
      : [],
  )
  return { 'site.yml': dump([play], { lineWidth: -1 }), ...Object.fromEntries(templates) }
}

/** Pipelining, one kept connection a host, a fork a host, and no search for an interpreter: what makes it fast. */
export function ansibleConfig(options: { directory: string; forks: number; ssh: readonly string[] }): string {
  const { directory, forks, ssh } = options
  return `[defaults]
forks = ${forks}
interpreter_python = /usr/bin/python3
home = ${directory}/ansible
[ssh_connection]
pipelining = True
ssh_args = ${ssh.join(' ')} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = ${directory}/control
`
}
