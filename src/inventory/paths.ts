import { homedir } from 'node:os'
import { resolve } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * A path of the user's own machine as written in the inventory: `${NAME}` and `${NAME:-default}` are taken from
 * the environment, a leading `~` is the home directory, and a relative path counts from `directory`.
 *
 * @example expandPath('${BRAMBLE_LAB_DIR:-~/.cache/bramble/lab}/known_hosts', directory, process.env)
 */
export function expandPath(path: string, directory: string, env: Environment): string {
  const filled = path.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    return env[name] || (fallback ?? '')
  })
  return resolve(directory, filled.replace(/^~(?=\/|$)/, env['HOME'] ?? homedir()))
}
