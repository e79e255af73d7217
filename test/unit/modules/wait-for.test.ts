import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { InputError } from '../../../src/errors.ts'
import { waitFor, type WaitForOptions } from '../../../src/modules/wait-for.ts'
import type { Resource } from '../../../src/playbook/resource.ts'
import { sh } from '../../../src/playbook/sh.ts'
import { apply, plan, SHELLS, temporary } from './local.ts'
import { table } from './table.ts'

const make = () => waitFor({ port: 2049, host: 'rpi4' })

/** Not by spawnSync: the server that it asks is in this process. */
async function probe(one: Resource, shell: string): Promise<number> {
  const child = spawn(shell, ['-c', one.probe.text])
  const [exit] = await once(child, 'exit')
  return Number(exit)
}

describe('waitFor', () => {
  table([
    { title: 'does not wait for what is so', make, seen: '', expect: 'ok' },
    {
      title: 'waits for what is not',
      make,
      seen: { code: 124, stdout: '' },
      expect: 'change',
      diff: '- no rpi4 port 2049 yet',
    },
  ])

  const bad: WaitForOptions[] = [
    { port: 0 },
    { port: 1.5 },
    { url: 'https://rpi1/' },
    { url: 'rpi1' },
    { path: 'a' },
  ]
  for (const options of bad) {
    it(`refuses ${JSON.stringify(options)}`, () => assert.throws(() => waitFor(options), InputError))
  }

  for (const shell of SHELLS) {
    describe(`on this machine, with ${shell}`, () => {
      const directory = temporary()
      let server: Server
      let port = 0
      before(async () => {
        server = createServer((request, response) => {
          response.statusCode = request.url === '/ok?a=b%20c' ? 204 : 503
          response.end()
        }).listen(0, '127.0.0.1')
        await once(server, 'listening')
        const address = server.address()
        port = typeof address === 'object' && address ? address.port : 0
      })
      after(() => server.close())

      it('sees a port that accepts, and one that does not', async () => {
        assert.equal(await probe(waitFor({ port }), shell), 0)
        assert.notEqual(await probe(waitFor({ port: 1 }), shell), 0)
      })

      it('sees a URL that answers well, and one that does not', async () => {
        assert.equal(await probe(waitFor({ url: `http://127.0.0.1:${port}/ok?a=b%20c` }), shell), 0)
        assert.notEqual(await probe(waitFor({ url: `http://127.0.0.1:${port}/` }), shell), 0)
        assert.notEqual(await probe(waitFor({ url: 'http://127.0.0.1:1/' }), shell), 0)
      })

      it('waits until it is so', async () => {
        const path = join(directory.path, "it's there")
        const one = waitFor({ path, timeout: 8 })
        const change = plan(one, shell)
        assert.ok(change)
        const child = spawn(shell, ['-e', '-c', change.apply.text])
        writeFileSync(path, '')
        assert.deepEqual(await once(child, 'exit'), [0, null])
        assert.equal(plan(one, shell), undefined)
      })

      it('says what it waited for in vain', () => {
        const change = plan(waitFor({ command: sh`false`, title: "the cows' return", timeout: 1 }), shell)
        assert.ok(change)
        const { code, stderr } = apply(change, shell)
        assert.equal(code, 1)
        assert.match(stderr, /waited 1 s in vain for the cows' return/)
      })
    })
  }
})
