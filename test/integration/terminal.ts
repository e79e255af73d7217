import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const bramble = join(import.meta.dirname, '../../bin/bramble')

/** Runs the program at a terminal of its own and answers a question; what stood on the screen. */
export async function atTerminal(
  home: string,
  project: string,
  words: readonly string[],
  question: RegExp,
  answer: string,
): Promise<{ code: number | null; text: string }> {
  const command = [process.execPath, bramble, ...words].join(' ')
  const env = { ...process.env, HOME: home, SHELL: '/bin/sh' }
  delete (env as Record<string, string | undefined>)['SSH_AUTH_SOCK']
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: project, env })
  let text = ''
  let answered = false
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (answered || !question.test(text)) return
    answered = true
    child.stdin.write(`${answer}\r`)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text }
}
