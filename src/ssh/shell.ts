import { randomBytes } from 'node:crypto'
import type { Client, ClientChannel } from 'ssh2'
import { ConnectionError, TaskError } from '../errors.ts'
import type { Secret } from '../secrets/secret.ts'
import type { Target } from './target.ts'

/** A command may hold a secret, so it comes as the first line of stdin and not as an argument. */
export const readCommand = 'read -r command || exit; eval "$(printf %s "$command" | base64 -d)"'

/** `/bin/sh` as root, reading commands from stdin; with `command`, that one only, and stdin is left to it. */
export async function startShell(client: Client, target: Target, command?: string): Promise<ClientChannel> {
  const words = command === undefined ? '/bin/sh -s' : shellWords(command)
  if (!target.become || target.user === 'root') return exec(client, `exec ${words}`, target)
  if (!target.becomePassword) return exec(client, `exec sudo -n -- ${words}`, target)
  const prompt = `bramble-${randomBytes(6).toString('hex')}`
  const announced = shellWords(`echo ${prompt} >&2; ${command ?? 'exec /bin/sh -s'}`)
  const channel = await exec(client, `exec sudo -k -S -p ${prompt} -- ${announced}`, target)
  await answerPrompt(channel, prompt, target.becomePassword, target)
  return channel
}

/**
 * Gives sudo its password when it asks, and waits until the shell speaks. sudo asks without a newline and the
 * shell's line ends in one; a second question means that the password was wrong.
 */
function answerPrompt(
  channel: ClientChannel,
  prompt: string,
  password: Secret,
  target: Target,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = ''
    let asked = false
    const timer = setTimeout(() => fail('sudo did not answer'), target.connectTimeout * 1000)
    const fail = (message: string) => {
      stop()
      channel.close()
      const next = `Check the sudo password of ${target.user}: -K, BRAMBLE_BECOME_PASSWORD or ansible_become_password.`
      reject(new TaskError(message, { host: target.name, stderr: seen.replaceAll(prompt, ''), next }))
    }
    const onClose = () => fail('cannot become root')
    const onData = (chunk: Buffer) => {
      seen += chunk.toString()
      const questions = seen.split(prompt).length - 1
      if (seen.includes(`${prompt}\n`)) {
        stop()
        resolve()
      } else if (questions > 1) fail('sudo refused the password')
      else if (questions === 1 && !asked) {
        asked = true
        channel.write(`${password.reveal()}\n`)
      }
    }
    const stop = () => {
      clearTimeout(timer)
      channel.stderr.off('data', onData)
      channel.off('close', onClose)
    }
    channel.stderr.on('data', onData)
    channel.on('close', onClose)
  })
}

/** How channels ended: a program may do so before anybody listens. */
const exitCodes = new WeakMap<ClientChannel, number | null>()

/** The exit code of what ran in a channel that is closed; null: it was lost, or ended by a signal. */
export function exitCode(channel: ClientChannel): number | null {
  return exitCodes.get(channel) ?? null
}

function exec(client: Client, command: string, { name }: Target): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (cause, channel) => {
      if (cause) {
        return reject(
          new ConnectionError('logged in, but got no shell', {
            host: name,
            found: cause.message,
            next: 'Is the machine overloaded or going down, or does its sshd allow no session (MaxSessions)? Try again.',
            cause,
          }),
        )
      }
      channel.on('exit', (status: number | null) => exitCodes.set(channel, status))
      resolve(channel)
    })
  })
}

/**
 * A program for `/bin/sh`, as words that every login shell reads alike: single quotes mean the same in sh, csh and
 * fish as long as neither `'`, `\\` nor `!` is within, and base64 has none of them.
 */
function shellWords(program: string): string {
  if (!/['\\!\n]/.test(program)) return `/bin/sh -c '${program}'`
  const encoded = Buffer.from(program).toString('base64')
  return `/bin/sh -c 'eval "$(printf %s ${encoded} | base64 -d)"'`
}
