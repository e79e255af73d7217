import assert from 'node:assert/strict'
import type { Event } from '../../src/engine/events.ts'

/** What a new web server makes bramble write: on a first manager, on another load balancer, on the NFS server. */
const learnt: Record<string, RegExp> = {
  // What the stack is deployed from, and who asks the image about its configuration.
  rpi1: /^(node labels|.* takes haproxy\.cfg|file .*\/(haproxy\.cfg|docker-compose\.yml)|stack ha-stack|configs and secrets .*)$/,
  rpi2: / takes haproxy\.cfg$/,
  rpi4: /exports|^handler: export the share$/,
}

/** On the nodes that were there before, nothing is written but what has to learn of the newcomer. */
export function assertLearntOf(newcomer: string, events: readonly Event[]): void {
  const others = events.flatMap((event) =>
    event.type === 'task' && event.status === 'changed' && event.host !== newcomer
      ? [`${event.host}: ${event.title}`]
      : [],
  )
  const mayNot = others.filter((written) => {
    const [host = '', title = ''] = written.split(/: (.*)/)
    return !learnt[host]?.test(title)
  })
  assert.deepEqual(mayNot, [])
}
