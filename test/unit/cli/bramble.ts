import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

export interface Asked {
  id: number
  folder: string
  words: readonly string[]
  env: Record<string, string>
  /** What stands on stdin. */
  input: string
}

export interface Told {
  id: number
  code: number
  stdout: string
  stderr: string
}

export interface CommandLine {
  /** The project of the test that runs. */
  readonly folder: string
  /** Writes a file of the project. */
  put(name: string, text: string): void
  /** Runs `bramble` with these words in the project, in a folder of it, or in another one. */
  bramble(
    words: readonly string[],
    env?: Record<string, string>,
    folder?: string,
    input?: string,
  ): Promise<Told>
}

/** The command line for the tests of a `describe`; each has an empty project of its own. */
export function commandLine(): CommandLine {
  let runner: ChildProcess | undefined
  let [all, folder] = ['', '']
  let asked = 0
  before(function () {
    this.timeout(30_000)
    all = mkdtempSync(join(tmpdir(), 'bramble-cli-'))
    runner = fork(join(import.meta.dirname, 'runner.ts'), {
      execArgv: ['--import', 'tsx'],
      cwd: join(import.meta.dirname, '../../..'),
    })
  })
  after(async () => {
    if (runner?.kill()) await once(runner, 'exit')
    rmSync(all, { recursive: true, force: true })
  })
  // They stay until the end: a command may fail while its playbook is still being compiled.
  beforeEach(() => {
    folder = mkdtempSync(join(all, 'project-'))
  })
  return {
    get folder() {
      return folder
    },
    put(name, text) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    },
    async bramble(words, env = {}, inside = '.', input = '') {
      asked += 1
      runner?.send({ id: asked, folder: resolve(folder, inside), words, env, input } satisfies Asked)
      const [told] = (await once(runner as ChildProcess, 'message')) as [Told]
      return told
    },
  }
}
