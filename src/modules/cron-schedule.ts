import { InputError } from '../errors.ts'

const SPECIAL = /^@(reboot|yearly|annually|monthly|weekly|daily|midnight|hourly)$/

interface Field {
  name: string
  least: number
  most: number
  /** What may stand for a number. */
  names: readonly string[]
}

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, names: [] },
  { name: 'month', least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'day of week', least: 0, most: 7, names: 'sun mon tue wed thu fri sat'.split(' ') },
]

/**
 * A schedule as crontab(5) has it, with one blank between its fields.
 *
 * Errors: InputError for one that cron would not take: it passes over the whole file then, and tells its log only.
 */
export function checkSchedule(schedule: string): string {
  if (SPECIAL.test(schedule)) return schedule
  const fields = schedule.includes('\n') ? [] : schedule.trim().split(/[ \t]+/)
  if (fields.length !== FIELDS.length) {
    throw new InputError('not a schedule of cron', {
      expected: 'five fields such as 17 3 * * 1-5, or @reboot, @yearly, @monthly, @weekly, @daily, @hourly',
      found: JSON.stringify(schedule),
    })
  }
  FIELDS.forEach((field, index) => checkField(field, fields[index] ?? ''))
  return fields.join(' ')
}

function checkField(field: Field, text: string): void {
  if (field.names.includes(text.toLowerCase()) || text.split(',').every((part) => isPart(field, part))) return
  const { name, least, most, names } = field
  throw new InputError(`not a ${name} of a schedule`, {
    expected: `*, a number from ${least} to ${most}, a range such as ${least}-${most}, with a step such as */2, a list of these${names.length > 0 ? `, or one of ${names.join(' ')}` : ''}`,
    found: JSON.stringify(text),
  })
}

/** `*` or a range, both with a step or without; or a number. */
function isPart({ least, most }: Field, part: string): boolean {
  const parts = /^(?:\*|(?<from>\d+)-(?<to>\d+))(?:\/(?<step>\d+))?$|^(?<number>\d+)$/.exec(part)?.groups
  if (!parts) return false
  const { from = least, to = most, step = 1, number = from } = parts
  const inside = [number, from, to].every((one) => Number(one) >= least && Number(one) <= most)
  return inside && Number(from) <= Number(to) && Number(step) >= 1
}
