import type { Argv } from 'yargs'
import { InputError } from '../errors.ts'

/** `-i`: which inventory. `BRAMBLE_INVENTORY` stands in for it. */
export function withInventory<T>(yargs: Argv<T>) {
  return yargs.option('inventory', {
    alias: 'i',
    type: 'string',
    default: process.env['BRAMBLE_INVENTORY'] ?? 'inventory',
    describe: 'Folder or file of the inventory',
  })
}

/** `-l`: which hosts of it. */
export function withLimit<T>(yargs: Argv<T>) {
  return yargs.option('limit', { alias: 'l', type: 'string', describe: 'Only these hosts: a pattern' })
}

/** `-K`: ask for what sudo asks for. */
export function withBecomePassword<T>(yargs: Argv<T>) {
  return yargs.option('ask-become-pass', {
    alias: 'K',
    type: 'boolean',
    default: false,
    describe: 'Ask for the sudo password',
  })
}

/** `-o`: how to show what happens. `BRAMBLE_OUTPUT` stands in for it. */
export function withOutput<T>(yargs: Argv<T>) {
  return yargs.option('output', {
    alias: 'o',
    choices: ['tty', 'lines', 'json'] as const,
    describe: 'Live rows, plain lines, or JSON lines [default: tty in a terminal, else lines]',
  })
}

/** The chosen output, or what fits where stdout goes. */
export function outputOf(output: 'tty' | 'lines' | 'json' | undefined): 'tty' | 'lines' | 'json' {
  const chosen = output ?? process.env['BRAMBLE_OUTPUT']
  if (chosen === 'tty' || chosen === 'lines' || chosen === 'json') return chosen
  if (chosen !== undefined) {
    throw new InputError(`BRAMBLE_OUTPUT is ${chosen}`, { expected: 'tty, lines or json' })
  }
  return process.stdout.isTTY ? 'tty' : 'lines'
}

/** Errors: InputError for a `--timeout` that is no time. */
export function checkTimeout(seconds: number): void {
  if (!(seconds >= 1)) throw new InputError(`--timeout ${seconds}`, { expected: 'seconds, at least 1' })
}

/** A list given as `a,b` or by repeating the flag. */
export function listOf(values: readonly string[] | undefined): string[] | undefined {
  return values?.flatMap((value) => value.split(',')).filter((value) => value !== '')
}
