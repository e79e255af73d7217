import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { labDown } from '../../src/lab/lab.ts'
import { generator, seed } from '../random.ts'
import { apply, bramble, changes, eventually, on, page, type Summary } from './cluster.ts'
import { disasters, disturbedRun, freshPis, stateOfAll, writtenByRerun } from './crash.ts'

const count = Number(process.env['BRAMBLE_PI_ROUNDS'] ?? 3)

describe(`virtual Pis (seed ${seed}, ${count} rounds)`, function () {
  this.timeout(90 * 60_000)
  const lot = generator(seed)
  let whole: Summary
  let expected: Record<string, string>

  after('leave nothing behind', () => labDown())

  it('are brought to the whole stack by a run that nothing disturbs', async () => {
    await freshPis()
    const { code, summary, stdout } = await apply()
    assert.equal(code, 0, stdout)
    whole = summary
    expected = await settled()
  })

  it('are not written to by a run that finds all as it should be', async () => {
    const none = Object.fromEntries(Object.keys(whole.hosts).map((name) => [name, []]))
    assert.deepEqual(await writtenByRerun(), none)
  })

  it('hold the password of the site in its one file, and nothing tells it, however much is told', async () => {
    const password = `berry-${randomBytes(6).toString('hex')}`
    const inventory = mkdtempSync(join(tmpdir(), 'bramble-nightly-'))
    try {
      cpSync('inventory/lab', inventory, { recursive: true })
      appendFileSync(join(inventory, 'group_vars/all.yml'), `\nhaproxy:\n  stats_password: ${password}\n`)
      const words = ['apply', '-i', inventory, '-o', 'lines', '-v', '-v', '--diff']
      const { code, stdout, stderr } = await bramble(...words)
      assert.equal(code, 0, stderr)
      assert(!`${stdout}${stderr}`.includes(password), 'the report tells it')
      const kept = readdirSync('.bramble', { recursive: true })
        .map((name) => join('.bramble', String(name)))
        .filter((path) => statSync(path).isFile() && readFileSync(path).includes(password))
      assert.deepEqual(kept, [])
      const look = `journalctl --no-pager -o cat | grep -F ${password} || :
grep -rlsF ${password} /etc /home /opt /root /run /srv /tmp /var/log || :`
      const found = await Promise.all(Object.keys(whole.hosts).map((node) => on(node, look)))
      assert.deepEqual(
        found.filter((files) => files !== ''),
        ['/opt/bramble/ha-stack/haproxy.cfg\n'],
      )
    } finally {
      rmSync(inventory, { recursive: true })
    }
  })

  for (let round = 0; round < count; round += 1) {
    // Each kind in turn, from one that is drawn by lot.
    const disaster = disasters[(round + seed) % disasters.length] ?? 'the power is cut'
    it(`end where an undisturbed run does when, in the first one, ${disaster}, and it is run again`, async () => {
      const what = await disturbedRun(disaster, lot, whole)
      console.log(`      ${what}`)
      const again = await apply()
      assert.equal(again.code, 0, `${what}\n${again.stdout}\n${again.stderr}`)
      assert.deepEqual(await settled(), expected, what)
      const check = await apply('--check')
      assert.deepEqual([check.code, changes(check.events)], [0, {}], what)
    })
  }
})

/** What there is once all four web servers have answered through the virtual IP. */
async function settled(): Promise<Record<string, string>> {
  const answered = new Set<string>()
  await eventually('an answer from every web server', 120, async () => {
    const { body, node } = await page()
    assert.match(body, /It works/)
    answered.add(node)
    return answered.size === 4 ? true : undefined
  })
  return stateOfAll()
}
