import { stripVTControlCharacters } from 'node:util'
import { redact } from '../secrets/secret.ts'

/** What a form of report may be asked for. */
export interface ReportOptions {
  /** Show the diff of every change. */
  diff: boolean
  /** 0: changes and failures. 1: also what was so already. 2: also trips and what applies printed. */
  verbose: number
  stream: NodeJS.WriteStream
  /** Width and height of the terminal in characters; by default the stream's own, else 80 by 24. */
  columns?: number
  rows?: number
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Puts text in a colour, or leaves it as it is where colours are not wanted. */
export type Paint = (style: Style, text: string) => string

const codes: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

export const plain: Paint = (_style, text) => text

export const coloured: Paint = (style, text) => {
  const [on, off] = codes[style]
  return text === '' ? '' : `\u001B[${on}m${text}\u001B[${off}m`
}

/** Text from a host as it may be printed: without secrets, and without what would steer the terminal. */
export function clean(text: string): string {
  return stripVTControlCharacters(redact(text)).replaceAll(/[^\P{Cc}\n\t]/gu, '')
}

/** `clean`, on one line. */
export function oneLine(text: string): string {
  return clean(text).trim().replaceAll(/\s+/g, ' ')
}

export function indent(text: string, by: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : by + line))
    .join('\n')
}

/** `1 host`, `2 hosts`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** A time for reading: `1.4 s`, `42 s`, `3 min 05 s`, `1 h 02 min`. */
export function duration(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`
}

/** A running time of steady width: `0:42`, `12:05`, `1:02:05`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}

/** A unified diff with its lines in their usual colours. */
export function paintDiff(diff: string, paint: Paint): string {
  return clean(diff)
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (line.startsWith('+++') || line.startsWith('---')) return paint('bold', line)
      if (line.startsWith('+')) return paint('green', line)
      if (line.startsWith('-')) return paint('red', line)
      return line.startsWith('@@') ? paint('cyan', line) : line
    })
    .join('\n')
}
