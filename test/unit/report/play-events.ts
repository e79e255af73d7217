import { setTimeout as delay } from 'node:timers/promises'
import { report } from '../../../src/report/index.ts'
import { failing } from './events.ts'

// Reports a run as bramble would, slowly enough for live rows to be drawn before and after what stays above them.
const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb'
const isLive = (): boolean => Object.hasOwn(process.stdout, 'write')
const { listener, done } = report('tty', { diff: false, verbose: 0, stream: process.stdout })
for (const event of failing) {
  listener({ ...event, at: Date.now() })
  if (event.type === 'play') {
    // Live rows hold back what others write.
    if (live) for (let tries = 0; !isLive() && tries < 200; tries++) await delay(50)
    console.log('said by something else')
  }
  if (live && (event.type === 'play' || event.type === 'failed')) await delay(450)
}
await done()
console.log('after the report')
