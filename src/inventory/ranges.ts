import { InputError } from '../errors.ts'

const rangePattern = /\[([^\]]*)\]/
/** Of one range, and of an inventory. */
export const mostHosts = 10_000
/** With its ranges. Each is one call within another. */
const longestName = 1000

/**
 * Expands host ranges as Ansible does: both ends are included, leading zeros set the width, several ranges
 * multiply, a third part is the step.
 *
 * @param at where the name was written, for the error
 * @throws InputError for a range that is none
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 * @example expandRange('rpi[1:3]') // ['rpi1', 'rpi2', 'rpi3']
 */
export function expandRange(name: string, at?: string): string[] {
  const match = rangePattern.exec(name)
  if (!match) return [name]
  const head = name.slice(0, match.index)
  const parts = name.length > longestName ? undefined : values(match[1] ?? '')
  const tails = parts && expandRange(name.slice(match.index + match[0].length), at)
  if (!parts || !tails || parts.length * tails.length > mostHosts) {
    throw new InputError(`\`${name}\` is not a host range`, {
      ...(at !== undefined && { at }),
      expected: `[1:4], [01:10], [a:c] or [0:10:2], of at most ${mostHosts} hosts`,
      found: match[0],
    })
  }
  return parts.flatMap((part) => tails.map((tail) => `${head}${part}${tail}`))
}

function values(range: string): string[] | undefined {
  const [, first, last, by = '1'] = /^(\d{1,9}|[a-zA-Z]):(\d{1,9}|[a-zA-Z])(?::(\d{1,9}))?$/.exec(range) ?? []
  if (first === undefined || last === undefined || Number(by) === 0) return undefined
  const kinds = [/^\d+$/, /^[a-z]$/, /^[A-Z]$/]
  const kind = kinds.findIndex((pattern) => pattern.test(first) && pattern.test(last))
  if (kind === 0) return numbers(first, last, Number(by))
  if (kind === -1) return undefined
  const codes = steps(first.codePointAt(0) ?? 0, last.codePointAt(0) ?? 0, Number(by))
  return codes?.map((code) => String.fromCodePoint(code))
}

function numbers(first: string, last: string, by: number): string[] | undefined {
  // As in Ansible: a leading zero asks for padding, and then both ends have the same width.
  const padded = first.length > 1 && first.startsWith('0')
  if (padded && first.length !== last.length) return undefined
  return steps(Number(first), Number(last), by)?.map((value) =>
    String(value).padStart(padded ? first.length : 0, '0'),
  )
}

function steps(from: number, to: number, by: number): number[] | undefined {
  if (from > to || (to - from) / by >= mostHosts) return undefined
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by)
}

/**
 * The patterns that name what a range names, in the same order, but for one host.
 *
 * @example withoutHost('rpi[1:4]', 'rpi2') // ['rpi1', 'rpi[3:4]']
 */
export function withoutHost(pattern: string, name: string): string[] {
  const match = rangePattern.exec(pattern)
  if (!match) return pattern === name ? [] : [pattern]
  const [range, inner = ''] = match
  const around = (part: string): string =>
    pattern.slice(0, match.index) + part + pattern.slice(match.index + range.length)
  const [, , by] = inner.split(':')
  const patterns: string[] = []
  let run: string[] = []
  const endRun = (): void => {
    const [first, last] = [run[0], run.at(-1)]
    if (first !== undefined) {
      patterns.push(around(run.length === 1 ? first : `[${[first, last, by].filter(Boolean).join(':')}]`))
    }
    run = []
  }
  for (const part of values(inner) ?? []) {
    if (!expandRange(around(part)).includes(name)) run.push(part)
    else {
      endRun()
      patterns.push(...withoutHost(around(part), name))
    }
  }
  endRun()
  return patterns
}

/**
 * The range that names one more host after those it names, if there is such a range.
 *
 * @example extendedBy('rpi[1:4]', 'rpi5') // 'rpi[1:5]'
 */
export function extendedBy(pattern: string, name: string): string | undefined {
  const [, head = '', inner, tail = ''] = /^([^[]*)\[([^\]]*)\]([^[]*)$/.exec(pattern) ?? []
  if (inner === undefined || !name.startsWith(head) || !name.endsWith(tail)) return undefined
  const [first, , by] = inner.split(':')
  const last = name.slice(head.length, name.length - tail.length)
  const extended = [first, last, by].filter(Boolean).join(':')
  const [before, after] = [values(inner), values(extended)]
  const isNext = after?.length === (before?.length ?? 0) + 1 && after.at(-1) === last
  return isNext ? `${head}[${extended}]${tail}` : undefined
}
