import { isIPv4 } from 'node:net'
import { InputError } from '../errors.ts'
import { expandPath } from './paths.ts'
import type { Environment } from './paths.ts'
import { hostSchema } from './schema.ts'
import type { HostVariables } from './schema.ts'
import type { Connection, Host } from './types.ts'

interface HostParts {
  name: string
  /** Where the inventory first names it. */
  at: string
  groups: readonly string[]
  /** Merged, and checked before. */
  variables: Record<string, unknown>
  directory: string
  env: Environment
}

export function makeHost({ name, at, groups, variables, directory, env }: HostParts): Host {
  const values = hostSchema.parse(variables)
  const address = [values.address, values.ansible_host, name].find((one) => one !== undefined && isIPv4(one))
  if (address === undefined) {
    throw new InputError(`host ${name} has no address`, {
      at,
      expected: 'a static IPv4 address as ansible_host or address',
      found: values.ansible_host === undefined ? 'neither' : `ansible_host: ${values.ansible_host}`,
      next: values.ansible_host === undefined ? 'add `ansible_host: 192.168.…`' : 'add `address: 192.168.…`',
    })
  }
  return {
    name,
    address,
    groups,
    connection: connectionOf(values, (path) => expandPath(path, directory, env)),
    settings: {
      ...(values.interface !== undefined && { interface: values.interface }),
      labels: values.labels,
    },
    extra: values.extra,
    in: (group) => groups.includes(group),
  }
}

function connectionOf(values: HostVariables, expand: (path: string) => string): Connection {
  const becomePassword = values.ansible_become_password ?? values.ansible_become_pass
  return {
    become: values.ansible_become ?? values.ansible_user !== 'root',
    ...(values.ansible_host && { host: values.ansible_host }),
    ...(values.ansible_port && { port: values.ansible_port }),
    ...(values.ansible_user && { user: values.ansible_user }),
    ...(values.ansible_timeout && { connectTimeout: values.ansible_timeout }),
    ...(values.ansible_ssh_private_key_file && { keyFile: expand(values.ansible_ssh_private_key_file) }),
    ...(values.ansible_password && { password: values.ansible_password }),
    ...(becomePassword && { becomePassword }),
    ...(values.known_hosts && { knownHosts: expand(values.known_hosts) }),
    ...(values.host_keys && { hostKeys: values.host_keys }),
    ...(values.proxy_command && { proxyCommand: values.proxy_command }),
    ...(values.proxy_jump && { proxyJump: values.proxy_jump }),
  }
}
