import type { Plugs } from '../drill/stage.ts'
import type { Inventory } from '../inventory/index.ts'
import { cut, heal, inNamespace, kill, labStatus, proxyCommand, startAll } from '../lab/lab.ts'

/** The lab, where the inventory is its own: what it is, the plugs that can be pulled in it, and how to get inside. */
export async function theLab({
  hosts,
}: Inventory): Promise<{ what: string; plugs: Plugs; via: string[] } | undefined> {
  if (hosts.some(({ connection }) => connection.proxyCommand !== proxyCommand)) return undefined
  const { arch, accelerator } = await labStatus()
  return {
    what: `${arch}, ${accelerator === 'kvm' ? 'hardware acceleration' : 'software emulation'}`,
    plugs: {
      async powerOff(all) {
        for (const { name } of all) await kill(name)
      },
      powerOn: (all) => startAll(all.map(({ name }) => name)),
      unplug: ({ name }) => cut(name),
      plug: ({ name }) => heal(name),
    },
    via: inNamespace([]),
  }
}
