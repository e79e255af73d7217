import { eastAsianWidth } from 'get-east-asian-width'
import { stripVTControlCharacters } from 'node:util'

/** What takes no column of its own: marks that combine with the character before, joiners, control characters. */
const without = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u

/**
 * Columns that a text takes in a terminal. It stands for the package string-width in `dist`: that one also knows
 * sequences of emoji, and building its patterns takes a sixth of the start of a run.
 *
 * @example stringWidth('Größe 日本') // 10
 */
export default function stringWidth(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) {
    const code = character.codePointAt(0) ?? 0
    if (code >= 0x20 && code < 0x7f) width += 1
    else if (!without.test(character)) width += eastAsianWidth(code)
  }
  return width
}
