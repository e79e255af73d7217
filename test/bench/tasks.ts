/** What one task of the compared playbook brings about; paths are below the host's own directory. */
export type Task =
  | { kind: 'directory'; path: string }
  | { kind: 'file'; path: string; content: string }
  /** `{{ name }}` and `{{ address }}` stand for the host's own. */
  | { kind: 'template'; path: string; source: string }
  | { kind: 'line'; path: string; match: string; line: string }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'packages'; names: readonly string[] }
  /** Stands for a service, which needs a systemd of its own: done once, and then seen to be so. */
  | { kind: 'command'; creates: string }

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

const settings = numbers(30).map((index) => `setting_${index} = value ${index}\n`)
const backends = numbers(20).map((index) => `server s${index} {{ address }}:${8000 + index} check\n`)

/** 40 tasks, in the order in which each tool runs them. */
export const tasks: readonly Task[] = [
  ...['etc', 'etc/app', 'etc/app/conf.d', 'srv', 'srv/www', 'var', 'var/lib', 'run'].map((path): Task => ({
    kind: 'directory',
    path,
  })),
  { kind: 'packages', names: ['bash', 'coreutils'] },
  { kind: 'packages', names: ['openssh-server'] },
  ...numbers(9).map((index): Task => ({
    kind: 'file',
    path: `etc/app/conf.d/${index}.conf`,
    content: `# part ${index}\n${settings.join('')}`,
  })),
  ...numbers(9).map((index): Task => ({
    kind: 'template',
    path: `etc/app/site-${index}.cfg`,
    source: `# site ${index} on {{ name }}\n${backends.join('')}`,
  })),
  ...numbers(6).map((index): Task => ({
    kind: 'line',
    path: 'etc/hosts',
    match: `^10\\.0\\.0\\.${index} `,
    line: `10.0.0.${index} node${index}`,
  })),
  ...numbers(3).map((index): Task => ({
    kind: 'link',
    path: `srv/www/site-${index}`,
    target: `../../etc/app/site-${index}.cfg`,
  })),
  ...numbers(3).map((index): Task => ({ kind: 'command', creates: `run/service-${index}.started` })),
]

/** The file that the case `changed` spoils. */
export const spoiled = 'etc/app/conf.d/5.conf'
