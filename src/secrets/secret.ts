const known = new Set<string>()

/** A value that prints as `***`; what it hides is told by `reveal()` only, and never leaves through a report. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    if (value !== '') known.add(value)
    // A diff or the tail of an output tears a text of several lines apart.
    const lines = value.includes('\n') ? value.split('\n') : []
    for (const line of lines) if (line.trim().length >= 8) known.add(line.trim())
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}

/** Text with the value of every secret made so far replaced by `***`: what reports and journals pass through. */
export function redact(text: string): string {
  let clean = text
  // The longest first: one secret may begin with another.
  const values = [...known].toSorted((one, other) => other.length - one.length)
  for (const value of values) clean = clean.replaceAll(value, '***')
  return clean
}
