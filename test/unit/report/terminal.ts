// What log-update and a plain program use: erase the line, up one, first column, colours, the cursor's visibility.
const tokens = /\p{Cc}\[[\d;?]*[A-Za-z]|\r|\n|\P{Cc}+/gu

/** What a terminal that got this output shows, scrolled-off lines included, and all rows that it ever showed. */
export function terminal(output: string): { screen: string; seen: Set<string> } {
  const lines = ['']
  const seen = new Set<string>()
  let row = 0
  for (const [token] of output.matchAll(tokens)) {
    if (token === '\u001B[2K') lines[row] = ''
    else if (token === '\u001B[1A') row -= 1
    else if (token === '\n') row += 1
    else if (!token.startsWith('\u001B') && token !== '\r') lines[row] = (lines[row] ?? '') + token
    lines[row] ??= ''
    if (token === '\n') seen.add(lines[row - 1] ?? '')
  }
  return { screen: lines.join('\n'), seen }
}
