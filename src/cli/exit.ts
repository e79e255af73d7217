let code = 0

/** What the process shall exit with when the command is over. */
export function exit(value: number): void {
  code = value
}

export function exitCode(): number {
  return code
}
