import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BrambleError, InputError } from '../../src/errors.ts'
import { installPackages } from '../../src/lab/programs.ts'
import { attempt } from '../../src/lab/run.ts'
import { cases, cleanRerun, type Case } from './cases.ts'
import { startFarm } from './farm.ts'
import { lab } from './lab.ts'
import { load } from './load.ts'
import { machine, versions } from './machine.ts'
import { tableOf, type Result } from './result.ts'

/** They measure the lab, which has to be up, and are not among all. */
const onLab = ['lab', 'load']

const usage = `npm run bench -- [--all | --case NAME,…] [--hosts N] [--rounds N] [--peer-rounds N] [--write FILE]

Compares bramble with ansible, ansible with mitogen, and \`ssh host true\`, on hosts of its own. Needs root; installs
OpenSSH, ansible-core and ansible-mitogen with apt where they are missing.

  --all           every case; without it those that take about ten minutes together
  --case NAME,…   ${[...cases.map((one) => one.name), ...onLab].join(', ')}
  --hosts N       a clean rerun on so many hosts, floor and bramble only
  --rounds N      rounds of the floor and bramble (default 5)
  --peer-rounds N rounds of ansible and mitogen (default 3, with more than ten hosts 1)
  --write FILE    put each table between its markers in FILE
`

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    case: { type: 'string', multiple: true },
    hosts: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'peer-rounds': { type: 'string' },
    write: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  console.log(usage)
} else {
  try {
    await main()
  } catch (error) {
    console.error(error instanceof BrambleError ? error.describe() : error)
    process.exitCode = 1
  }
}

async function main(): Promise<void> {
  const rounds = count('--rounds', values.rounds)
  const peers =
    values['peer-rounds'] === undefined ? undefined : count('--peer-rounds', values['peer-rounds'])
  const names = values.case?.flatMap((list) => list.split(','))
  const chosen = choose(names)
  const state = await machine({ onLab: onLab.some((name) => names?.includes(name)) })
  const results: Result[] = []
  const head = async () => {
    const about = [...state, (await versions()).join(', '), new Date().toISOString().slice(0, 10)]
    return `${about.map((line) => `- ${line}\n`).join('')}\n`
  }
  const keep = (part: string, text: string) => {
    if (values.write !== undefined) write(values.write, part, text)
  }
  const show = async (part: string, table: string) => {
    const text = `${await head()}${table}`
    console.log(`\n${text}`)
    keep(part, text)
  }
  if (names?.includes('lab')) await show('lab', tableOf(await lab(rounds, log)))
  if (names?.includes('load')) await show('load', await load(rounds, log))
  if (chosen.length > 0) {
    await install()
    const farm = await startFarm(Math.max(...chosen.map((one) => one.hosts)))
    const interrupted = (): void => void farm.stop().finally(() => process.exit(130))
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
    try {
      for (const one of chosen) {
        console.log(one.name)
        // A run of ansible on a hundred hosts takes a quarter of an hour.
        const peerRounds = peers ?? (one.hosts > 10 ? 1 : 3)
        results.push(await one.run({ farm, rounds, peerRounds, log }))
        // After each: an hour of them shall not be lost with one.
        keep('figures', `${await head()}${tableOf(results)}`)
      }
    } finally {
      await farm.stop()
    }
  }
  if (results.length > 0) await show('figures', tableOf(results))
}

function log(line: string): void {
  console.log(`  ${line}`)
}

function choose(names: readonly string[] | undefined): readonly Case[] {
  if (values.hosts !== undefined) return [cleanRerun(count('--hosts', values.hosts))]
  if (names === undefined) return cases.filter((one) => values.all || one.short)
  const known = [...cases.map((one) => one.name), ...onLab]
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new InputError(`--case ${unknown.join(',')}: no such case`, { expected: known.join(', ') })
  }
  return cases.filter((one) => names.includes(one.name))
}

function count(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InputError(`${flag} ${text}`, { expected: 'a whole number of at least 1' })
}

/** Errors: BrambleError that names what is missing, where it cannot be installed. */
async function install(): Promise<void> {
  const packages = ['openssh-server', 'openssh-client', 'python3-apt', 'ansible-core', 'ansible-mitogen']
  const { stdout } = await attempt([
    'dpkg-query',
    '-W',
    '-f',
    '${db:Status-Status} ${Package}\n',
    ...packages,
  ])
  const there = new Set(stdout.split('\n'))
  const missing = packages.filter((name) => !there.has(`installed ${name}`))
  if (process.getuid?.() !== 0) {
    throw new BrambleError('the benchmark makes servers that log in as root', {
      expected: 'to be run as root',
      ...(missing.length > 0 && { next: `These packages are missing, too: ${missing.join(' ')}` }),
    })
  }
  if (missing.length === 0) return
  console.log(`installing ${missing.join(' ')}`)
  await installPackages(missing)
}

function write(file: string, part: string, text: string): void {
  const [before, after] = [`<!-- ${part} -->`, `<!-- end of ${part} -->`]
  const page = readFileSync(file, 'utf8')
  const [from, to] = [page.indexOf(before), page.indexOf(after)]
  if (from < 0 || to < from) {
    throw new InputError(`${file} has no place for the figures`, {
      expected: `${before} and, below it, ${after}`,
    })
  }
  writeFileSync(file, `${page.slice(0, from)}${before}\n\n${text}\n${page.slice(to)}`)
}
