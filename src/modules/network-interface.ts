import { TaskError } from '../errors.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { machine } from './preflight.ts'

export interface NetworkInterfaceOptions extends Common {
  /** An IPv4 address of the host. */
  address: string
}

/**
 * Tells which network interface holds an address; changes nothing. Facts: `interface`.
 *
 * Errors: no interface holds it.
 *
 * @see ip-address(8)
 * @example networkInterface({ address: '192.168.188.11' })
 */
export function networkInterface({ address, ...common }: NetworkInterfaceOptions): Resource {
  const find = (stdout: string) =>
    stdout.split('\n').find((line) => line.split(/\s+/).some((word) => word.startsWith(`${address}/`)))
  return resource(
    {
      title: `interface of ${address}`,
      // What the preflight asks: one question then serves both.
      probe: machine,
      plan(seen) {
        if (find(seen.stdout) !== undefined) return undefined
        throw new TaskError(`no interface has ${address}`, {
          found: seen.stdout.match(/^\d+: .*inet .*$/gm)?.join('\n') ?? 'none',
          next: 'give the machine this static address, or correct the one in the inventory',
        })
      },
      facts: (seen) => ({ interface: find(seen.stdout)?.split(/\s+/)[1] ?? '' }),
    },
    common,
  )
}
