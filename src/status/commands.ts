import { quote } from '../playbook/sh.ts'

/** Commands for the user to run, with the inventory that this one was given. */
export interface Commands {
  /** `commands.apply('nfs', ['rpi3'])` is `bramble apply playbooks/nfs.ts -l rpi3`. */
  apply(playbook: string, hosts?: readonly string[]): string
  /** Takes a host out of the cluster while the others serve; `apply` takes it in again. */
  reset(host: string): string
  /** A command of the hosts, written as they are to read it. */
  exec(hosts: readonly string[], command: string): string
}

export function commandsFor(inventory: string): Commands {
  const flag = inventory === 'inventory' ? '' : ` -i ${quote(inventory)}`
  return {
    apply: (playbook, hosts) =>
      `bramble apply playbooks/${playbook}.ts${flag}${hosts ? ` -l ${quote(hosts.join(','))}` : ''}`,
    reset: (host) => `bramble reset ${quote(host)}${flag}`,
    exec: (hosts, command) => `bramble exec ${quote(hosts.join(','))}${flag} -- ${command}`,
  }
}
