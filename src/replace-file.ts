import { chmodSync, chownSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { InputError } from './errors.ts'

/**
 * Writes a file of the user's so that nobody sees half of it, even after a power cut: under a temporary name beside it,
 * which is then renamed. A file that is there keeps its owner, its mode and the symbolic links that lead to it.
 *
 * @param mode of the file, whatever it was; default: as it was
 * @throws InputError where it cannot be written, or not be left to its owner
 * @see rename(2), fsync(2)
 */
export function replaceFile(path: string, text: string, mode?: number): void {
  const old = statSync(path, { throwIfNoEntry: false })
  const file = old ? realpathSync(path) : path
  const temporary = `${file}.${process.pid}`
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
    const made = statSync(temporary)
    if (old && (old.uid !== made.uid || old.gid !== made.gid)) chownSync(temporary, old.uid, old.gid)
    chmodSync(temporary, mode ?? (old ?? made).mode)
    renameSync(temporary, file)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new InputError(`${path} cannot be written`, { found: String(cause), cause })
  }
}
