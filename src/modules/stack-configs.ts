import { sh } from '../playbook/sh.ts'
import { resource, type Common, type Resource } from '../playbook/resource.ts'
import { readStack, stackProbe } from '../stack/state.ts'

export interface StackConfigsPrunedOptions extends Common {
  name: string
  directory: string
  /** Names of the configs that the stack uses. */
  keep: readonly string[]
}

/**
 * No configs of a stack other than those named: they are immutable, so each change leaves an old one behind.
 * To be run after `stack()`; takes its directory so that both rest on one probe.
 *
 * Errors: those of `docker config rm`, such as a config that a service still uses.
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
      title: `configs of stack ${name}`,
      probe: stackProbe(name, directory),
      plan(seen) {
        const unused = (readStack(seen)?.configs ?? [])
          .map(({ Spec }) => Spec.Name)
          .filter((config) => !keep.includes(config))
        if (unused.length === 0) return undefined
        return {
          diff: unused.map((config) => `- config ${config}`).join('\n'),
          apply: sh`docker config rm ${unused}`,
        }
      },
    },
    common,
  )
}
