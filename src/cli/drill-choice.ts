import { catalogue, type Drill } from '../drill/catalogue.ts'
import { amount } from '../drill/text.ts'
import { InputError } from '../errors.ts'
import type { Cluster } from '../inventory/index.ts'
import { didYouMean } from '../inventory/nearest.ts'

/** Errors: InputError for a drill that there is not, and when none is named. */
export function chosen({ name = [], all }: { name?: string[] | undefined; all: boolean }): readonly Drill[] {
  const names = catalogue.map((one) => one.name)
  if (all && name.length > 0)
    throw new InputError('--all runs every drill, and some are named', { found: name.join(' ') })
  if (all) return catalogue
  if (name.length === 0) {
    throw new InputError('no drill is named', {
      expected: names.join(', '),
      next: 'bramble drill --list tells what each does; --all runs all of them',
    })
  }
  return name.map((one) => {
    const found = catalogue.find((drill) => drill.name === one)
    if (found) return found
    throw new InputError(`there is no drill ${one}`, {
      next: didYouMean(one, names, `there are: ${names.join(', ')}`),
    })
  })
}

/** Why a drill cannot be run on a cluster, where somebody can pull plugs or not. */
export function refusal({ needs, unfit }: Drill, cluster: Cluster, plugs: boolean): string | undefined {
  if (needs && !plugs)
    return `it needs somebody who ${needs === 'power' ? 'cuts the power' : 'pulls a network cable'}`
  return unfit?.(cluster)
}

/** Errors: InputError when one of these, which were named, cannot be run. */
export function refuse(drills: readonly Drill[], cluster: Cluster, plugs: boolean): void {
  for (const one of drills) {
    const reason = refusal(one, cluster, plugs)
    if (reason === undefined) continue
    throw new InputError(`${one.name} cannot be run here: ${reason}`, {
      next:
        one.needs && !plugs
          ? 'Virtual Pis have plugs that a program can pull: bramble lab up, bramble apply -i inventory/lab, then this with -i inventory/lab'
          : 'bramble drill --all leaves out what a cluster does not fit',
    })
  }
}

/** All drills with their bounds. */
export function listed(output: 'tty' | 'lines' | 'json'): string[] {
  if (output === 'json') {
    const drills = catalogue.map(({ name, title, needs, bounds }) => ({
      name,
      title,
      needs: needs ?? null,
      bounds: bounds.map(({ what, limit, unit }) => ({ what, limit, unit })),
    }))
    return [JSON.stringify({ drills })]
  }
  return catalogue.flatMap(({ name, title, needs, bounds }) => [
    `${name.padEnd(WIDTH)}  ${title}${needs ? ' (lab only)' : ''}`,
    ...bounds.map(({ what, limit, unit }) => `${' '.repeat(WIDTH)}  ${what}: at most ${amount(limit, unit)}`),
  ])
}

const WIDTH = Math.max(...catalogue.map(({ name }) => name.length))
