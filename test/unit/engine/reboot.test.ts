import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { TimeoutError } from '../../../src/errors.ts'
import { resource, type Resource } from '../../../src/playbook/resource.ts'
import { sh, type Sh } from '../../../src/playbook/sh.ts'
import type { Answers } from '../../../src/ssh/framing.ts'
import { directoryForEach, over, runLocally } from './harness.ts'
import { LocalSession } from './local-session.ts'

/** A shell whose machine's boot_id stands in a file. */
class Machine extends LocalSession {
  readonly #bootId: string

  constructor(bootId: string) {
    super()
    this.#bootId = bootId
  }

  override run(commands: readonly string[], timeout: number, first?: string): Promise<Answers> {
    const own = commands.map((text) => text.replaceAll('/proc/sys/kernel/random/boot_id', this.#bootId))
    return super.run(own, timeout, first)
  }
}

describe('a reboot', function () {
  this.timeout(30_000)
  const directory = directoryForEach()
  beforeEach(() => writeFileSync(directory.at('boot_id'), 'first\n'))

  const reboots = (apply: Sh, timeout: number): Resource =>
    resource(
      {
        title: 'reboot',
        probe: sh`cat ${directory.at('boot_id')}`,
        plan: ({ stdout }) => (stdout === 'second\n' ? undefined : { diff: '', apply, reboots: true }),
      },
      { timeout },
    )
  /** The machine goes: the shell ends, and what connects next finds another boot. */
  const goes = () => sh`echo second >${directory.at('boot_id')}; kill -9 $$`

  it('gives a machine that comes back slowly more time at each attempt', async () => {
    const patience: number[] = []
    const { titles, reasons } = await runLocally([over([reboots(goes(), 60)])], {
      connect: (_, seconds) => {
        patience.push(seconds)
        const slow = patience.length > 1 && seconds < 20
        return slow
          ? Promise.reject(new TimeoutError('too slow'))
          : Promise.resolve(new Machine(directory.at('boot_id')))
      },
    })
    assert.deepEqual([titles('changed'), reasons], [['reboot'], {}])
    assert.deepEqual(patience, [0, 0, 15, 22.5])
  })

  it('is not waited for by who interrupts, and told as begun', async () => {
    const controller = new AbortController()
    const { reasons, events } = await runLocally([over([reboots(goes(), 60), reboots(goes(), 60)])], {
      signal: controller.signal,
      connect: () => {
        // The machine has gone, and does not answer yet.
        if (!existsSync(directory.at('connected'))) {
          writeFileSync(directory.at('connected'), '')
          return Promise.resolve(new Machine(directory.at('boot_id')))
        }
        controller.abort()
        return Promise.reject(new TimeoutError('off'))
      },
    })
    assert.match(
      reasons['rpi1'] ?? '',
      /^rpi1: reboot: interrupted before the machine was back\n {2}found: +it restarts, or is about to; it was not waited for\n +not begun: reboot\n/,
    )
    const interrupted = events.find((event) => event.type === 'interrupted')
    assert.deepEqual(interrupted?.finishing, {})
  })

  it('that the machine does not come back from tells the last that was seen of it', async () => {
    const { reasons } = await runLocally([over([reboots(goes(), 5)])], {
      connect: () =>
        existsSync(directory.at('connected'))
          ? Promise.reject(new TimeoutError('its host key has changed'))
          : (writeFileSync(directory.at('connected'), ''),
            Promise.resolve(new Machine(directory.at('boot_id')))),
    })
    assert.match(
      reasons['rpi1'] ?? '',
      /reboot: did not come back from its reboot within 5 s\n.*\n {2}found: +its host key has changed\n/,
    )
  })

  it('that is refused fails at once', async () => {
    const { reasons } = await runLocally([over([reboots(sh`echo not now >&2; exit 4`, 60)])], {
      connect: () => Promise.resolve(new Machine(directory.at('boot_id'))),
    })
    assert.match(reasons['rpi1'] ?? '', /reboot: the reboot exited with code 4[^]*not now/)
  })
})
