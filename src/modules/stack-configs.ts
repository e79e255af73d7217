import { lines, sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { readStack, stackProbe } from '../stack/state.ts'

export interface StackConfigsPrunedOptions extends Common {
  name: string
  directory: string
  /** Names of the configs and secrets that the stack uses. */
  keep: readonly string[]
}

/**
 * No configs and no secrets of a stack other than those named: they are immutable, so each change leaves an old one behind.
 * To be run after `stack()`; takes its directory so that both rest on one probe.
 *
 * Errors: those of `docker config rm` and `docker secret rm`, such as a config that a service still uses.
 *
 * @see https://docs.docker.com/engine/swarm/configs/#rotate-a-config
 * @example stackConfigsPruned({ name: 'ha-stack', directory: '/opt/bramble/ha-stack', keep: ['ha-stack-nginx-0123'] })
 */
export function stackConfigsPruned({
  name,
  directory,
  keep,
  ...common
}: StackConfigsPrunedOptions): Resource {
  return resource(
    {
      title: `configs and secrets of stack ${name}`,
      probe: stackProbe(name, directory),
      plan(seen) {
        const { configs = [], secrets = [] } = readStack(seen) ?? {}
        const unused = Object.entries({ config: configs, secret: secrets }).map(([kind, found]) => ({
          kind,
          names: found.map(({ Spec }) => Spec.Name).filter((one) => !keep.includes(one)),
        }))
        const removals = unused.filter(({ names }) => names.length > 0)
        if (removals.length === 0) return undefined
        return {
          diff: removals.flatMap(({ kind, names }) => names.map((one) => `- ${kind} ${one}`)).join('\n'),
          apply: lines(...removals.map(({ kind, names }) => sh`docker ${kind} rm ${names}`)),
        }
      },
    },
    common,
  )
}
