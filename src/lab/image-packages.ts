import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arch } from './machines.ts'
import { run } from './run.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const sources = `deb [signed-by=${keyring}] http://deb.debian.org/debian bookworm main
deb [signed-by=${keyring}] http://deb.debian.org/debian-security bookworm-security main
`

/**
 * Unpacks Debian packages, just these, for any architecture into `directory`/root; nothing of them is run and this
 * computer's own apt is left alone.
 *
 * @returns the directory they were unpacked into.
 * Errors: BrambleError with apt's own words.
 */
export async function unpackPackages(
  directory: string,
  arch: Arch,
  names: readonly string[],
  onProgress: (line: string) => void,
): Promise<string> {
  const at = (...parts: string[]): string => join(directory, ...parts)
  for (const path of ['lists/partial', 'archives/partial', 'packages', 'root'])
    await mkdir(at(path), { recursive: true })
  await writeFile(at('sources.list'), sources)
  await writeFile(at('status'), '')
  const settings = {
    'APT::Architecture': arch,
    'APT::Architectures::': arch,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Dir::State::lists': at('lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': directory,
    'Dir::Cache::archives': at('archives'),
    'Dir::Etc::sourcelist': at('sources.list'),
    'Dir::Etc::sourceparts': '-',
  }
  const apt = [
    'apt-get',
    '-qq',
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ]
  onProgress(`fetching ${names.length} Debian packages for ${arch}`)
  await run([...apt, 'update'])
  await run(['env', '-C', at('packages'), ...apt, 'download', ...names])
  for (const file of await readdir(at('packages')))
    await run(['dpkg-deb', '-x', at('packages', file), at('root')])
  return at('root')
}
