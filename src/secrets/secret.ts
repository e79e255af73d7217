const known = new Set<string>()

/** A value that prints as `***`; what it hides is told by `reveal()` only, and never leaves through a report. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
    if (value !== '') known.add(value)
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
  for (const value of known) clean = clean.replaceAll(value, '***')
  return clean
}
