import type { Seen } from './resource.ts'
import type { Sh } from './sh.ts'

/**
 * How probes of one kind share a process: on a small machine starting a program costs more than what it does.
 * Both functions are pure.
 */
export interface Batch<T> {
  /** One command that looks at all items. */
  merge(items: readonly T[]): Sh
  /** What each item's own probe would have seen; undefined when it cannot be told apart: each is run alone then. */
  split(seen: Seen, items: readonly T[]): Seen[] | undefined
}

const shared = new WeakMap<Sh, { batch: Batch<unknown>; item: unknown }>()

/** A probe that may be run alone, or together with others of the same batch. */
export function batched<T>(batch: Batch<T>, item: T, alone: Sh): Sh {
  // A copy: the same text may stand for another probe elsewhere.
  const probe: Sh = Object.create(
    Object.getPrototypeOf(alone) as object,
    Object.getOwnPropertyDescriptors(alone),
  )
  shared.set(probe, { batch, item })
  return probe
}

/** Of each batch, those that stand for it with some key. */
const derived = new WeakMap<Batch<unknown>, Map<string, Batch<unknown>>>()

/** A probe with `wrap` around it. If it is batched it stays so, among probes with the same key only. */
export function rebatched(probe: Sh, key: string, wrap: (script: Sh) => Sh): Sh {
  const member = shared.get(probe)
  if (!member) return wrap(probe)
  const { batch, item } = member
  const byKey = derived.get(batch) ?? new Map<string, Batch<unknown>>()
  derived.set(batch, byKey)
  const own = byKey.get(key) ?? {
    merge: (items) => wrap(batch.merge(items)),
    // Why it failed may be told by what is around the probe, which the batch knows nothing of: each then tells itself.
    split: (seen, items) => (seen.code === 0 ? batch.split(seen, items) : undefined),
  }
  byKey.set(key, own)
  return batched(own, item, wrap(probe))
}

/** Commands for a list of probes, merged where they can be, and how to read their answers. */
export interface Bundle {
  commands: string[]
  /** What each probe saw, in the order of the probes; undefined for one that has to be run alone. */
  read: (answers: readonly Seen[]) => (Seen | undefined)[]
}

export function bundle(probes: readonly Sh[]): Bundle {
  const groups = new Map<Batch<unknown>, number[]>()
  const single: number[] = []
  probes.forEach((probe, index) => {
    const batch = shared.get(probe)?.batch
    // What asks nothing need not cost a process.
    if (probe.text === ':') return
    if (batch) groups.set(batch, [...(groups.get(batch) ?? []), index])
    else single.push(index)
  })
  const merged = [...groups].filter(([, members]) => members.length > 1)
  const alone = [...single, ...[...groups.values()].filter((members) => members.length === 1).flat()]
  const items = (members: readonly number[]) => members.map((index) => shared.get(probes[index] as Sh)?.item)
  return {
    commands: [
      ...merged.map(([batch, members]) => batch.merge(items(members)).text),
      ...alone.map((index) => (probes[index] as Sh).text),
    ],
    read(answers) {
      const seen: (Seen | undefined)[] = probes.map(({ text }) =>
        text === ':' ? { code: 0, stdout: '' } : undefined,
      )
      merged.forEach(([batch, members], position) => {
        const parts = batch.split(answers[position] as Seen, items(members))
        members.forEach((index, part) => {
          const { answered } = answers[position] as Seen
          const one = parts?.[part]
          seen[index] = one && { ...one, ...(answered !== undefined && { answered }) }
        })
      })
      alone.forEach((index, position) => (seen[index] = answers[merged.length + position]))
      return seen
    },
  }
}
