import { InputError } from '../errors.ts'
import type { Common, Resource } from '../playbook/resource.ts'
import { sh, type Sh } from '../playbook/sh.ts'
import { redact, Secret } from '../secrets/secret.ts'
import { absent } from './absent.ts'
import { matching } from './check.ts'
import { checkSchedule } from './cron-schedule.ts'
import { file } from './file.ts'
import { NAME } from './group.ts'

interface CronBase extends Omit<Common, 'becomeUser'> {
  /** The entry's file in /etc/cron.d: letters, digits, `-` and `_`, since cron passes over any other name. */
  name: string
  /** Who runs it. Default `root`. */
  user?: string
  /** Variables that the command has, such as PATH and MAILTO. Nothing in them is expanded. */
  environment?: Readonly<Record<string, string>>
  /** Keep the entry as a comment. Default false. */
  disabled?: boolean
}

interface CronEntry {
  /** Minute, hour, day of month, month and day of week, as in `17 3 * * 1-5`, or such as `@daily` and `@reboot`. */
  schedule: string
  /** Run by `/bin/sh`; one line of up to 998 characters. All stands for itself, `%` too. */
  command: Sh
}

/** Default of `state`: `present`. */
export type CronOptions = CronBase &
  ((CronEntry & { state?: 'present' }) | (Partial<CronEntry> & { state: 'absent' }))

/**
 * A command that cron runs at times. Each entry is a file in /etc/cron.d, owned by root: it is replaced in one step,
 * the entries of others stay out of reach, and the user cannot lose it from a crontab of their own. One with a `Secret`
 * in its command is root's to read only.
 *
 * Errors: a name that cron would not read, a schedule that it would not take; a user who is not there; cron is not
 * installed.
 *
 * @see cron(8), crontab(5)
 * @example cron({ name: 'backup', schedule: '17 3 * * *', command: sh`/usr/local/bin/backup ${'/srv/my share'}` })
 */
export function cron(options: CronOptions): Resource {
  const { name, user = 'root', environment = {}, disabled = false, ...rest } = options
  const path = `/etc/cron.d/${matching(name, /^[A-Za-z0-9_-]+$/, 'a name of letters, digits, - and _, which cron reads')}`
  if (rest.state === 'absent') {
    const { schedule: _, command: __, state: ___, ...common } = rest
    return absent({ title: `no cron ${name}`, ...common, path })
  }
  const { schedule, command, state: _, ...common } = rest
  matching(user, NAME, 'a name for a user')
  const entry = `${disabled ? '# ' : ''}${checkSchedule(schedule)} ${user} ${escaped(command)}`
  const text = [...Object.entries(environment).map(variable), entry].map((line) => `${line}\n`).join('')
  // In its own quoting it would not be found in what is reported.
  const secret = redact(command.text) !== command.text
  const content = secret ? new Secret(text, { search: false }) : text
  const mode = secret ? '0600' : '0644'
  // An entry of a user who is not there is passed over by cron, which tells its log only.
  const validate = () => sh`id -u -- ${user} >/dev/null`
  return file({ title: `cron ${name}`, ...common, path, content, mode, validate })
}

/** cron takes `%` for the end of the command, `\%` for `%`, and `\\` for one backslash, within quotes too. */
function escaped({ text }: Sh): string {
  matching(text, /^[^\n]*\S[^\n]*$/, 'a command on one line')
  const command = text.replaceAll(/[\\%]/g, String.raw`\$&`)
  if (Buffer.byteLength(command) <= 998) return command
  throw new InputError('a command of cron may have 998 characters', {
    found: `${Buffer.byteLength(command)}`,
    next: 'put it into a script with file(), and run that',
  })
}

/** One kind of quotes around a value, which keep blanks at its beginning; within, no character stands for another. */
function variable([name, value]: [string, string]): string {
  matching(name, /^[A-Za-z_]\w*$/, 'the name of a variable')
  matching(value, /^([^\n\0]*[^\s\0])?$/, 'a value on one line, without blanks at its end, which cron drops')
  const quote = value.includes('"') ? "'" : '"'
  if (value.includes(quote)) {
    throw new InputError('a variable of cron cannot hold both kinds of quotes', {
      expected: `at most one kind of quotes in ${name}`,
      found: value,
      next: 'set it within the command',
    })
  }
  return `${name}=${quote}${value}${quote}`
}
