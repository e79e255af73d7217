/** Local time: `2026-11-24 08:15`. */
export function stamp(time: string, seconds = false): string {
  const date = new Date(time)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
  const clock = [date.getHours(), date.getMinutes(), ...(seconds ? [date.getSeconds()] : [])]
  return `${day} ${clock.map(twoDigits).join(':')}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
