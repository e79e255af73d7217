import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sshd } from '../sshd.ts'
import { makeProject, type Project } from './project.ts'

const bramble = join(import.meta.dirname, '../../bin/bramble')

/** The variables of a host that is this computer, by way of a server of its own. */
export function localHost({ host, port, user, keyFile }: Sshd, index: number): Record<string, unknown> {
  return {
    ansible_host: host,
    ansible_port: port,
    ansible_user: user,
    ansible_ssh_private_key_file: keyFile,
    ansible_timeout: 60,
    // The inventory wants an address of its own for each.
    address: `10.88.0.${index + 1}`,
  }
}

/** A project with a playbook, for the real program. */
export function projectWith(hosts: Record<string, Record<string, unknown>>, playbook: string): Project {
  const project = makeProject(hosts)
  mkdirSync(join(project.directory, 'playbooks'))
  writeFileSync(join(project.directory, 'playbooks/site.ts'), playbook)
  return project
}

export interface Program {
  child: ChildProcess
  /** What it has printed so far, both streams together. */
  readonly printed: string
  /** How it ended; null: by a signal. */
  ended: Promise<number | null>
}

/** Starts the built program in a project. `inside`: a program that starts it, before its own words. */
export function start(project: Project, words: readonly string[], inside: readonly string[] = []): Program {
  const [program = '', ...rest] = [...inside, process.execPath, bramble, ...words]
  const child = spawn(program, rest, { cwd: project.directory, stdio: ['ignore', 'pipe', 'pipe'] })
  const told = { printed: '' }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (told.printed += chunk.toString()))
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    child,
    ended,
    get printed() {
      return told.printed
    },
  }
}

/** What the built program printed, as lines, once it has ended with this code. */
export async function printedBy(project: Project, code: number, words: readonly string[]): Promise<string> {
  const program = start(project, [...words, '-o', 'lines'])
  assert.equal(await program.ended, code, program.printed)
  return program.printed
}
