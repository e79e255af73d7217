import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { Secret } from '../../src/secrets/secret.ts'
import { writeStore } from '../../src/secrets/store.ts'
import { only, shell as shellOn, startLightHosts } from '../light-host.ts'
import type { LightHost, LightHosts } from '../light-host.ts'
import { ensurePackages } from '../packages.ts'
import { commandLine, type Told } from '../unit/cli/bramble.ts'
import { execsIn, execsOf, traceExecs, watchExecs } from './execs.ts'
import { start } from './program.ts'
import { makeProject, variablesOf } from './project.ts'
import type { Project } from './project.ts'

/** No two runs have the same, so that nothing older can be found. */
const salt = randomBytes(4).toString('hex')

/** What each secret is found by, wherever it turns up. */
const cores = Object.fromEntries(
  ['sudo', 'template', 'file', 'large', 'stdin', 'environment', 'line', 'hash', 'fed', 'told'].map((name) => [
    name,
    `${name}-berry-${salt}`,
  ]),
)

const values: Record<string, string> = {
  ...cores,
  template: `it's "${cores['template']}" \\ $HOME`,
  file: `-----BEGIN KEY-----\n${cores['file']}\n-----END KEY-----\n`,
  large: `${cores['large']}\n`.repeat(5000),
  hash: `$6$salt$${cores['hash']}`,
}

/** Every way in which secrets get onto a host, some of them told by the host again; and failures that tell them. */
const site = `import { Readable } from 'node:stream'
import { block, command, file, line, play, playbook, resource, secretOf, sh, template, user } from 'bramble'
const tasks = play({ name: 'tasks', hosts: 'all', tags: ['tasks'], *tasks(host, { template: read }) {
  const secret = (name) => secretOf(host, name)
  yield template({ path: '/srv/template', source: read('app.ejs'), variables: { key: secret('template') } })
  yield file({ path: '/srv/file', content: secret('file'), mode: '0600' })
  yield file({ path: '/srv/large', content: secret('large'), mode: '0600' })
  yield command({ title: 'stdin', creates: '/srv/stdin', run: sh\`printf %s \${secret('stdin')} | tee /srv/stdin\` })
  yield command({ title: 'environment', creates: '/srv/environment',
    run: sh\`KEY=\${secret('environment')} sh -c 'printf %s "$KEY" | tee /srv/environment; env' >&2\` })
  yield line({ path: '/srv/line', line: 'key=' + secret('line').reveal(), create: true })
  yield resource({ title: 'fed', probe: sh\`cat /srv/fed 2>/dev/null || :\`,
    plan: ({ stdout }) => stdout === secret('fed').reveal() ? undefined
      : { diff: '+ fed', apply: sh\`cat >/dev/null; printf %s \${secret('fed')} >/srv/fed\`, input: () => Readable.from(['x']) } })
  yield user({ name: 'rose', passwordHash: secret('hash') })
} })
const told = (host) => sh\`printf 'told %s\\n' \${secretOf(host, 'told')} >/srv/told
  cat /srv/told >&2; base64 /srv/told; base64 -w 8 /srv/told; fold -w 6 /srv/told; fold -w 6 /srv/told | sed 's/^/+ /'\`
const failing = [
  (host) => command({ title: 'fails', creates: '/srv/no', run: sh\`\${told(host)}; exit 1\` }),
  (host) => command({ title: 'has no effect', creates: '/srv/no', run: told(host) }),
  (host, read) => template({ path: '/srv/refused', source: read('app.ejs'), variables: { key: secretOf(host, 'template') },
    validate: (candidate) => sh\`cat \${candidate} >&2; base64 \${candidate}; false\` }),
].map((task, index) => play({ name: 'failing ' + index, hosts: 'all', tags: ['failing' + index],
  tasks: (host, { template }) => [task(host, template)] }))
export default playbook({ name: 'site', plays: [tasks, ...failing] })
`

/** Which secrets a text holds, as they are or as base64 of a part that is never split. */
function toldBy(text: string): string[] {
  return Object.entries(cores).flatMap(([name, core]) => {
    // The end, where the salt is, without what depends on the bytes after it.
    const inBase64 = [0, 1, 2].map((offset) => {
      const bytes = Buffer.from(' '.repeat(offset) + core)
      const end = Math.floor((bytes.length * 4) / 3)
      return bytes.toString('base64').slice(end - 12, end)
    })
    return [core, ...inBase64].some((one) => text.includes(one)) ? [name] : []
  })
}

describe('secrets on a real host', function () {
  // The first run ever builds the machines’ root tree.
  this.timeout(600_000)
  let lab: LightHosts
  let host: LightHost
  let project: Project
  let identity = ''
  const runs: Record<string, Told> = {}
  const line = commandLine()

  before(async () => {
    await ensurePackages({ strace: 'strace' })
    lab = await startLightHosts({ names: ['rpi1'] })
    host = only(lab)
    project = makeProject({ rpi1: { ...variablesOf(host), ansible_timeout: 60 } })
    identity = `${project.directory}-identity`
    const key = await generateIdentity()
    writeFileSync(identity, key, { mode: 0o600 })
    const secrets = new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]))
    const lock = { recipients: [await identityToRecipient(key)] }
    await writeStore(join(project.directory, 'inventory/secrets.age'), { lock, values: secrets })
    const extra = Object.keys(values).map((name) => `${name}: !secret ${name}`)
    write(
      'inventory/group_vars/all.yml',
      `ansible_become_password: !secret sudo\nextra: { ${extra.join(', ')} }\n`,
    )
    write('templates/app.ejs', 'option one\nkey = <%= key %>\noption two\n')
    write('site.ts', site)
    await shell(`echo 'pi:${cores['sudo']}' | chpasswd
      echo 'pi ALL=(ALL) ALL' >/etc/sudoers.d/010_pi-nopasswd
      echo 'LogLevel DEBUG3' >/etc/ssh/sshd_config.d/debug.conf; systemctl restart ssh`)
    await watchExecs(host)
    await bramble('check', 'tasks', ['--check', '-o', 'json'])
    await bramble('lines', 'tasks', ['-o', 'lines'])
    await shell(
      `echo 'key=other' >/srv/line; echo other >/srv/template; rm -f /srv/stdin /srv/environment /srv/large`,
    )
    await bramble('json', 'tasks', ['-o', 'json'])
    await bramble('fails', 'failing0', ['-o', 'lines'])
    await bramble('has no effect', 'failing1', ['-o', 'json'])
    await bramble('is refused', 'failing2', ['-o', 'lines'])
  })

  after(async () => {
    await lab?.stop()
    rmSync(identity, { force: true })
    project?.remove()
  })

  function write(name: string, text: string): void {
    mkdirSync(join(project.directory, name, '..'), { recursive: true })
    writeFileSync(join(project.directory, name), text)
  }

  /** What it could write besides its project is in the project, too. */
  function environment(): Record<string, string> {
    const [HOME, TMPDIR] = ['home', 'tmp'].map((name) => join(project.directory, name)) as [string, string]
    for (const folder of [HOME, TMPDIR]) mkdirSync(folder, { recursive: true })
    return { BRAMBLE_AGE_IDENTITY: identity, HOME, TMPDIR }
  }

  /** A run of the program itself, telling as much as it can. */
  async function bramble(name: string, tag: string, flags: readonly string[]): Promise<void> {
    const words = ['apply', 'site.ts', '--tags', tag, '-v', '-v', '--diff', ...flags]
    runs[name] = await line.bramble(words, environment(), project.directory)
  }

  const shell = (script: string): Promise<string> => shellOn(host, script)

  it('arrive as themselves', async () => {
    assert.equal(runs['check']?.code, 3, runs['check']?.stderr)
    for (const name of ['lines', 'json']) assert.equal(runs[name]?.code, 0, runs[name]?.stdout)
    assert.equal(await shell('cat /srv/template'), `option one\nkey = ${values['template']}\noption two\n`)
    for (const name of ['file', 'large', 'stdin', 'environment', 'fed']) {
      assert.equal(await shell(`cat /srv/${name}`), values[name])
    }
    assert.equal(await shell('tail -n 1 /srv/line'), `key=${values['line']}\n`)
    assert.equal(await shell('getent shadow rose | cut -d: -f2'), `${values['hash']}\n`)
  })

  it('are in no output, however much it tells', () => {
    for (const [name, { stdout, stderr }] of Object.entries(runs)) {
      assert.deepEqual(toldBy(stdout + stderr), [], name)
      assert.deepEqual(
        toldBy((stdout + stderr).replaceAll(/(\\n|\n)[ +|]*/g, '')),
        [],
        `${name}, lines joined`,
      )
    }
  })

  it('leave the rest of the output to be read', () => {
    assert.match(runs['lines']?.stdout ?? '', /KEY=\*\*\*/, 'what a command printed')
    assert.match(runs['lines']?.stdout ?? '', /\+key=\*\*\*/, 'a diff')
    assert.match(runs['lines']?.stdout ?? '', /\+ printf %s \*\*\* \| tee/, 'a command')
    assert.match(runs['fails']?.stdout ?? '', /told \*\*\*/)
    assert.match(runs['has no effect']?.stdout ?? '', /did not converge/)
    assert.match(runs['is refused']?.stdout ?? '', /option one\n +key = \*\*\*\n +option two/)
    for (const name of ['fails', 'has no effect', 'is refused']) assert.equal(runs[name]?.code, 2)
  })

  it('are among the arguments and variables of no process of this computer', async () => {
    await shell('echo other >/srv/template; rm /srv/environment /srv/large')
    const trace = `${identity}-execs`
    mkdirSync(trace)
    const variables = Object.entries(environment()).map(([name, value]) => `${name}=${value}`)
    const traced = ['env', ...variables, 'strace', ...traceExecs, `--output=${trace}/of`]
    const program = start(project, ['apply', 'site.ts', '--tags', 'tasks', '-v', '-v', '--diff'], traced)
    assert.equal(await program.ended, 0, program.printed)
    const execs = readdirSync(trace).flatMap((name) => execsIn(readFileSync(join(trace, name), 'utf8')))
    rmSync(trace, { recursive: true })
    assert.ok(
      execs.some(({ argv }) => argv.includes('nsenter')),
      'the watch sees the way to the host',
    )
    assert.deepEqual(toldBy(JSON.stringify(execs) + program.printed), [])
  })

  it('are in no file of this computer: journal, cache, inventory, home, temporary files', () => {
    const files = readdirSync(project.directory, { recursive: true })
      .map((name) => join(project.directory, String(name)))
      .filter((path) => statSync(path).isFile())
    assert.equal(files.filter((path) => path.endsWith('events.jsonl')).length, Object.keys(runs).length + 1)
    assert.deepEqual(
      files.filter((path) => toldBy(readFileSync(path, 'utf8')).length > 0),
      [],
    )
  })

  it('are in no file of the host but those that were to hold them', async () => {
    const found = await shell(
      `find / -xdev -type f ! -path '/run/execs/*' ! -path '/var/log/journal/*' -exec grep -lF berry-${salt} -- {} + || :
       find /run /tmp /dev/shm -type f ! -path '/run/execs/*' -exec grep -lF berry-${salt} -- {} + || :`,
    )
    assert.deepEqual(
      [...new Set(found.trim().split('\n'))].toSorted(),
      // useradd and chpasswd keep a copy of the last version.
      [
        '/etc/shadow',
        ...['environment', 'fed', 'file', 'large', 'line', 'stdin', 'template', 'told'].map(
          (name) => `/srv/${name}`,
        ),
      ],
    )
  })

  it('are in no log of the host: sshd at its most talkative, sudo, systemd', async () => {
    const log = await shell('journalctl --no-pager --output cat')
    assert.match(log, /debug3: /)
    assert.match(log, /USER=root ; COMMAND=\/bin\/sh/)
    assert.deepEqual(toldBy(log), [])
  })

  it('are among the arguments of no process, and in the environment of those that were given them', async () => {
    await shell(`/bin/true canary-${salt}`)
    const execs = await execsOf(host)
    assert.ok(
      execs.some(({ argv }) => argv.includes(`canary-${salt}`)),
      'the watch sees arguments',
    )
    assert.ok(
      execs.some(({ argv }) => argv.includes('sudo')),
      'and what bramble starts',
    )
    assert.deepEqual(
      execs.filter(({ argv }) => toldBy(argv).length > 0),
      [],
    )
    const inEnvironment = execs.filter(({ env }) => toldBy(env).length > 0)
    assert.deepEqual([...new Set(inEnvironment.flatMap(({ env }) => toldBy(env)))], ['environment'])
    for (const { argv } of inEnvironment) assert.match(argv, /KEY|"tee"|"env"/)
  })
})
