import type { DrillResult, DrillsResult } from './result.ts'

const WIDTH = 860
const LEFT = 10
const ROW = 104
const BARS = 44
const TOP = 36

const colours = { answered: '#2e9e5b', failed: '#d1453b', mark: '#7a8290', text: '#3b424d' }

/**
 * Availability over time, as SVG: a row a drill with its own scale of time. Each second is a bar, green as far as its
 * requests were answered; the longest gap is a red one, at least wide enough to be seen.
 */
export function drillPicture({ drills }: Pick<DrillsResult, 'drills'>): string {
  const run = drills.filter(({ skipped, per_second: seconds }) => skipped === null && seconds.length > 0)
  const height = TOP + run.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="${colours.text}">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${legend()}
${run.map((drill, index) => row(drill, TOP + index * ROW)).join('\n')}
</svg>
`
}

function legend(): string {
  return [
    box(LEFT, colours.answered, 'answered'),
    box(LEFT + 100, colours.failed, 'failed, or no answer in the longest gap'),
    `<text x="${WIDTH - LEFT}" y="20" text-anchor="end" fill="${colours.mark}">seconds from when something was done</text>`,
  ].join('\n')
}

function box(x: number, colour: string, text: string): string {
  return `<rect x="${x}" y="10" width="12" height="12" fill="${colour}"/><text x="${x + 18}" y="20">${text}</text>`
}

function row(drill: DrillResult, top: number): string {
  const { per_second: seconds, from_s: from } = drill
  const scale = (WIDTH - 2 * LEFT) / seconds.length
  const x = (at: number) => round(LEFT + (at - from) * scale)
  const bottom = top + 34 + BARS
  const bars = runs(seconds).map(({ share, start, length }) => {
    const high = round(BARS * share)
    const left = x(from + start)
    const wide = round(length * scale)
    const failed =
      share < 1
        ? `<rect x="${left}" y="${bottom - BARS}" width="${wide}" height="${round(BARS - high)}" fill="${colours.failed}"/>`
        : ''
    return `<rect x="${left}" y="${round(bottom - high)}" width="${wide}" height="${high}" fill="${colours.answered}"/>${failed}`
  })
  const gap = Math.max(2, round((drill.longest_gap_ms / 1000) * scale))
  const verdict = `${drill.requests} requests, ${drill.failed} failed, longest gap ${drill.longest_gap_ms} ms`
  return `<text x="${LEFT}" y="${top + 14}" font-weight="600">${escape(drill.title)}</text>
<text x="${WIDTH - LEFT}" y="${top + 14}" text-anchor="end">${verdict}</text>
${bars.join('\n')}
<rect x="${x(drill.gap_at_s)}" y="${bottom - BARS}" width="${gap}" height="${BARS}" fill="${colours.failed}"/>
${marks(drill, x, top, bottom)}`
}

/** Where a label would stand on the one before, only its line is drawn. */
function marks(drill: DrillResult, x: (at: number) => number, top: number, bottom: number): string {
  let free = 0
  return drill.marks
    .map(({ at_s: at, what }) => {
      const left = x(at)
      const line = `<path d="M${left} ${top + 20}V${bottom + 4}" stroke="${colours.mark}"/>`
      const text = `${Math.round(at)} s  ${what}`
      const width = text.length * 5.6
      const start = Math.min(left + 3, WIDTH - LEFT - width)
      if (start < free) return line
      free = start + width + 6
      return `${line}<text x="${round(start)}" y="${top + 30}" font-size="10" fill="${colours.mark}">${escape(text)}</text>`
    })
    .join('\n')
}

/** Seconds of the same share of answers, together: a picture of an hour has not thousands of bars. */
function runs(seconds: readonly number[][]): { share: number; start: number; length: number }[] {
  const found: { share: number; start: number; length: number }[] = []
  for (const [index, [answered = 0, failed = 0]] of seconds.entries()) {
    const share = answered + failed === 0 ? 0 : answered / (answered + failed)
    const last = found.at(-1)
    if (last?.share === share) last.length += 1
    else found.push({ share, start: index, length: 1 })
  }
  return found
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
