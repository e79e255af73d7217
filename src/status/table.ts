import type { Paint } from '../report/text.ts'

export interface Cell {
  text: string
  style?: Parameters<Paint>[0]
}

export interface Column {
  title: string
  cells: readonly Cell[]
  /** Numbers stand at the right. */
  right?: boolean
}

/**
 * A table as wide as the terminal at most: a group of columns that does not fit beside those before it goes into a
 * table of its own below, with the key column again and without the rows that have nothing to say in it.
 */
export function tables(key: Column, groups: readonly Column[][], width: number, paint: Paint): string[][] {
  const parts: Column[][] = []
  for (const group of groups) {
    for (const columns of widthOf([key, ...group]) > width ? group.map((one) => [one]) : [group]) {
      const last = parts.at(-1)
      if (last && widthOf([key, ...last, ...columns]) <= width) last.push(...columns)
      else parts.push([...columns])
    }
  }
  return parts.map((columns) => table(key, columns, paint))
}

function table(key: Column, columns: readonly Column[], paint: Paint): string[] {
  const rows = key.cells.flatMap((name, row) => {
    const cells = columns.map((column) => column.cells[row] ?? { text: '' })
    return cells.every(({ text }) => text === '') ? [] : [[name, ...cells]]
  })
  const all = [key, ...columns]
  const widths = all.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((cells) => cells[index]?.text.length ?? 0)),
  )
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, style }, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - text.length)
        const painted = style ? paint(style, text) : text
        if (all[index]?.right) return space + painted
        return index === cells.length - 1 ? painted : painted + space
      })
      .join('  ')
      .trimEnd()
  return [line(all.map(({ title }) => ({ text: title, style: 'dim' }))), ...rows.map(line)]
}

function widthOf(columns: readonly Column[]): number {
  const widths = columns.map(({ title, cells }) =>
    Math.max(title.length, ...cells.map(({ text }) => text.length)),
  )
  return widths.reduce((sum, width) => sum + width, 2 * (columns.length - 1))
}

/** Words in lines of at most this width, all but the first behind an indent. */
export function wrap(words: readonly Cell[], width: number, indent: string, paint: Paint): string[] {
  const lines: Cell[][] = [[]]
  let length = 0
  for (const word of words) {
    if (length > indent.length && length + 1 + word.text.length > width) {
      lines.push([])
      length = indent.length
    }
    lines.at(-1)?.push(word)
    length += word.text.length + 1
  }
  return lines.map(
    (line, index) =>
      (index > 0 ? indent : '') +
      line.map(({ text, style }) => (style ? paint(style, text) : text)).join(' '),
  )
}
