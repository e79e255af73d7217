import assert from 'node:assert/strict'
import { InputError } from '../../../src/errors.ts'
import { checkSchedule } from '../../../src/modules/cron-schedule.ts'
import { cron, type CronOptions } from '../../../src/modules/cron.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { Secret } from '../../../src/secrets/secret.ts'
import { table } from './table.ts'

type Entry = Extract<CronOptions, { state?: 'present' }>
const make =
  (options: Partial<Entry> = {}) =>
  () =>
    cron({ name: 'backup', schedule: '17 3 * * *', command: sh`backup ${'/srv/my share'}`, ...options })

const entry = "17 3 * * * root backup '/srv/my share'\n"
const seen = (text: string, attributes = '81a4 0 0 root root') =>
  `:there\n${attributes} ${Buffer.byteLength(text)}\n${text}`

describe('cron', () => {
  table([
    { title: 'is content with its entry', make: make(), seen: seen(entry), expect: 'ok' },
    {
      title: 'writes an entry as a file of root’s',
      make: make(),
      seen: ':absent\n',
      expect: 'change',
      diff: `+${entry.trim()}`,
      apply: /chown root:root [^]*chmod 0644 [^]*id -u -- root [^]*mv -T -f/,
    },
    {
      title: 'replaces an entry at another time, of another user',
      make: make({ schedule: '@daily', user: 'pi' }),
      seen: seen(entry),
      expect: 'change',
      diff: `-${entry}+@daily pi backup '/srv/my share'`,
    },
    {
      title: 'takes a file away from others, since cron does not read one that they may write',
      make: make(),
      seen: seen(entry, '81b6 0 0 root root'),
      expect: 'change',
      diff: '- owner root:root mode 0666',
    },
    {
      title: 'gives a % to the command as itself',
      make: make({ command: sh`date ${'+%F'}` }),
      seen: ':absent\n',
      expect: 'change',
      diff: String.raw`+17 3 * * * root date +\%F`,
    },
    {
      title: 'gives a backslash to the command as itself',
      make: make({ command: sh`printf '\\\\%s\\n'` }),
      seen: ':absent\n',
      expect: 'change',
      diff: String.raw`root printf '\\\\\%s\\n'`,
    },
    {
      title: 'shows no secret of its command, and lets nobody else read it',
      make: make({ command: sh`PASSWORD=${new Secret('thorn%2y9')} backup` }),
      seen: seen(entry),
      expect: 'change',
      diff: /^- owner root:root mode 0644\n\+ owner root:root mode 0600\n(?![^]*thorn)/,
      apply: /chmod 0600/,
    },
    {
      title: 'sets variables before the entry',
      make: make({ environment: { MAILTO: '', GREETING: " it's" } }),
      seen: ':absent\n',
      expect: 'change',
      diff: `+MAILTO=""\n+GREETING=" it's"\n+17 3`,
    },
    {
      title: 'keeps a disabled entry as a comment',
      make: make({ disabled: true }),
      seen: seen(entry),
      expect: 'change',
      diff: `-${entry}+# 17 3 * * * root`,
    },
    {
      title: 'is removed',
      make: () => cron({ name: 'backup', state: 'absent' }),
      seen: 'present\n',
      expect: 'change',
      apply: /rm .* -- \/etc\/cron\.d\/backup$/,
    },
    {
      title: 'is content when it is gone',
      make: () => cron({ name: 'backup', state: 'absent' }),
      seen: 'absent\n',
      expect: 'ok',
    },
    { title: 'says so when it cannot look', make: make(), seen: { code: 1, stdout: '' }, expect: 'error' },
  ])

  const refused: Record<string, Partial<Entry>> = {
    'a name that cron passes over': { name: 'backup.sh' },
    'a name that leads elsewhere': { name: '../crontab' },
    'a user who cannot be': { user: 'root rm' },
    'a command of two lines': { command: sh`a\nb` },
    'an empty command': { command: sh` ` },
    'a command that cron would cut off': { command: sh`${'%'.repeat(500)}` },
    'a variable of two lines': { environment: { A: 'a\n* * * * * root rm' } },
    'a variable whose last blank cron drops': { environment: { A: 'a ' } },
    'a variable with both kinds of quotes': { environment: { A: `'"` } },
    'a variable with no name': { environment: { 'A B': 'a' } },
  }
  for (const [what, options] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.throws(make(options), InputError))
  }
})

describe('a schedule of cron', () => {
  const good = [
    '* * * * *',
    '*/5 0-23/2 1,15 1-12 0-7',
    '0 0 1 jan Mon',
    '59 23 31 12 7',
    '@reboot',
    '@hourly',
  ]
  for (const schedule of good) it(`may be ${schedule}`, () => assert.equal(checkSchedule(schedule), schedule))

  it('has one blank between its fields', () => assert.equal(checkSchedule(' 0\t3  * * * '), '0 3 * * *'))

  const bad = ['', '@often', '@daily ', '* * * *', '* * * * * *', '60 * * * *', '* 24 * * *', '* * 0 * *']
  const worse = [
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '5/10 * * * *',
    '1,,2 * * * *',
    '-1 * * * *',
  ]
  const words = ['* * * foo *', '* * * * mon,tue', 'jan * * * *', '* * * * *\n']
  for (const schedule of [...bad, ...worse, ...words, '* * *\n* *']) {
    it(`cannot be ${JSON.stringify(schedule)}`, () => {
      assert.throws(() => checkSchedule(schedule), InputError)
    })
  }
})
