import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Argv, CommandModule } from 'yargs'
import { InputError } from '../errors.ts'

const builder = (yargs: Argv) =>
  yargs.positional('directory', { type: 'string', default: '.', describe: 'Where; made if it is not there' })

type Arguments = ReturnType<typeof builder> extends Argv<infer T> ? T : never

export const initCommand: CommandModule<object, Arguments> = {
  command: 'init [directory]',
  describe: 'Make a new cluster project, ready to edit',
  builder,
  handler: init,
}

// The program's types are its sources, so a project is checked with what they need.
const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  },
  include: ['playbooks'],
}

function init({ directory }: Arguments): void {
  const project = resolve(directory)
  const root = fileURLToPath(new URL('../..', import.meta.url))
  if (existsSync(project) && !statSync(project).isDirectory()) {
    throw new InputError(`${directory} is a file`, { next: 'Name a new directory: bramble init my-cluster' })
  }
  if (existsSync(project) && readdirSync(project).some((name) => !name.startsWith('.'))) {
    throw new InputError(`${directory} is not empty`, {
      next: 'Name a new directory: bramble init my-cluster',
    })
  }
  mkdirSync(project, { recursive: true })
  for (const name of ['inventory', 'playbooks', 'templates']) {
    cpSync(join(root, name), join(project, name), { recursive: true })
  }
  const manifest = {
    private: true,
    type: 'module',
    devDependencies: { '@types/node': '^20', bramble: `file:${root}`, typescript: '^7' },
  }
  writeFileSync(join(project, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  writeFileSync(join(project, 'tsconfig.json'), `${JSON.stringify(tsconfig, undefined, 2)}\n`)
  const ignored = join(project, '.gitignore')
  if (!existsSync(ignored)) writeFileSync(ignored, 'node_modules/\n.bramble/*\n!.bramble/known_hosts\n')
  const place = relative(process.cwd(), project)
  console.log(`A cluster project is in ${place || 'this folder'}. Next:
  1. ${join(place, 'inventory/hosts.yml')}: names and addresses of your Pis
  2. ${place ? `cd ${place}; ` : ''}bramble apply --check   what would be done
  3. bramble apply`)
}
