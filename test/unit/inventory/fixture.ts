import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { loadInventory } from '../../../src/inventory/index.ts'
import type { Inventory } from '../../../src/inventory/index.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>

/** Loads an inventory from files that exist only meanwhile; a lone text is hosts.yml. */
export async function inventoryOf(
  files: Files | string,
  env: Readonly<Record<string, string>> = {},
): Promise<Inventory> {
  const directory = await mkdtemp(join(tmpdir(), 'bramble-inventory-'))
  try {
    for (const [name, content] of Object.entries(
      typeof files === 'string' ? { 'hosts.yml': files } : files,
    )) {
      await mkdir(dirname(join(directory, name)), { recursive: true })
      await writeFile(join(directory, name), content)
    }
    return await loadInventory(directory, env)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(error.describe().replaceAll(`${directory}/`, '').replaceAll(directory, '.'))
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** How an inventory's error reads, its paths relative to the inventory. */
export async function complaint(files: Files | string): Promise<string> {
  try {
    await inventoryOf(files)
  } catch (error) {
    if (error instanceof InputError) return error.message
    throw error
  }
  return 'no error'
}

/** Hosts with made-up addresses. */
export function hosts(...names: string[]): string {
  return names.map((name, index) => `    ${name}: { ansible_host: 10.0.0.${index + 1} }\n`).join('')
}
