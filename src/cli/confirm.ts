import { InputError } from '../errors.ts'
import { askYes } from './terminal.ts'

/** Asks before something that cannot be undone; `next` is what to do where nobody can answer. Errors: InputError when the answer is no, or nobody can answer. */
export async function confirm(
  question: string,
  next = 'give --yes; --check shows what would be done',
): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new InputError('there is no terminal to confirm in', { expected: `yes to: ${question}`, next })
  }
  if (!(await askYes(question))) throw new InputError('not confirmed: nothing was done')
}
