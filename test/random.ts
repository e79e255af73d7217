/** The lot that a test draws, told in its title; BRAMBLE_SEED repeats a run. */
export const seed = Number(process.env['BRAMBLE_SEED'] ?? Date.now() % 1_000_000)

/** How often a test tries its luck: `usual`, or BRAMBLE_ROUNDS. */
export function rounds(usual: number): number {
  return Number(process.env['BRAMBLE_ROUNDS'] ?? usual)
}

/** Numbers from 0 to below 1 that are the same for the same seed: mulberry32. */
export function generator(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
