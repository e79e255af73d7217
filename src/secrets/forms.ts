/** Shorter ones are not looked for: `42` or `pi` would hide half of what a host prints. */
export const shortest = 4

/** A line of a longer value, its base64, and what a line break has torn apart count from this length on. */
export const shortestPart = 8

/**
 * The texts by which a secret gives itself away: as it is, its lines, as a shell, JSON or a URL quotes it, and as
 * base64, alone or in the midst of what else was encoded along (`user:password`).
 */
export function forms(value: string): string[] {
  if (value.length < shortest) return []
  const lines = value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= shortestPart)
  const quoted = [
    value.replaceAll("'", String.raw`'\''`),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(Buffer.from(value).toString()),
  ]
  return [...new Set([value, ...lines, ...quoted, ...base64(value)])]
}

/** For each of the three places a byte can have in base64, the characters that no neighbour has a part in. */
function base64(value: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
    const text = bytes
      .toString('base64')
      .slice(Math.ceil((offset * 4) / 3), Math.floor((bytes.length * 4) / 3))
    return text.length < shortestPart ? [] : [text, text.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
