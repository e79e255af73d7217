import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrambleError } from '../../src/errors.ts'
import { startDelay } from './delay.ts'
import { addressOf, type Farm, type FarmHost } from './farm.ts'
import { commandLine, measure, median, type Command, type Measured } from './measure.ts'
import { expectChanges, tripsOf } from './outcome.ts'
import type { Result, Target, Times } from './result.ts'
import { spoiled, tasks } from './tasks.ts'
import { brambleCommand, makeTools, program, toolNames, type ToolName, type Tools } from './tools.ts'

export interface Bench {
  farm: Farm
  /** Rounds of the floor and of bramble. */
  rounds: number
  /** Rounds of the slow ones: the first of all rounds. */
  peerRounds: number
  log: (line: string) => void
}

export interface Case {
  name: string
  /** Hosts it uses. */
  hosts: number
  /** Part of the selection that runs by default. */
  short: boolean
  run(bench: Bench): Promise<Result>
}

const belowFloor = (atMost: number): Target => ({ ratio: ['bramble', 'floor'], atMost })
const ansible = (atLeast: number): Target => ({ ratio: ['ansible', 'bramble'], atLeast })
const mitogen = (atLeast: number): Target => ({ ratio: ['mitogen', 'bramble'], atLeast })
const ours: readonly ToolName[] = ['floor', 'bramble']

export const cases: readonly Case[] = [
  { name: 'version', hosts: 0, short: true, run: version },
  rerun({ name: 'clean-4', hosts: 4, short: true, targets: [belowFloor(1.5), ansible(60), mitogen(25)] }),
  rerun({ name: 'slow-rc-4', hosts: 4, short: false, targets: [], slowShell: true }),
  rerun({ name: 'latency-4', hosts: 4, short: true, targets: [belowFloor(1.3)], delay: 50, tools: ours }),
  rerun({ name: 'latency-peers-4', hosts: 4, short: false, targets: [], delay: 50 }),
  { name: 'first-4', hosts: 4, short: true, run: firstRun },
  { name: 'changed-4', hosts: 4, short: true, run: oneChanged },
  { name: 'push-4', hosts: 4, short: true, run: push },
  rerun({ name: 'clean-100', hosts: 100, short: true, targets: [belowFloor(1.5)], tools: ours }),
  rerun({ name: 'clean-peers-100', hosts: 100, short: false, targets: [ansible(60)] }),
  rerun({
    name: 'clean-500',
    hosts: 500,
    short: false,
    targets: [belowFloor(1.5)],
    tools: ours,
    memory: 300,
    linear: true,
  }),
]

/** A clean rerun on any number of hosts. */
export function cleanRerun(hosts: number): Case {
  return rerun({ name: `clean-${hosts}`, hosts, short: false, targets: [belowFloor(1.5)], tools: ours })
}

interface Rerun extends Omit<Case, 'run'> {
  targets: readonly Target[]
  tools?: readonly ToolName[]
  /** Milliseconds more for a way there and back. */
  delay?: number
  /** The login shell sleeps for 0.3 s in its rc file. */
  slowShell?: boolean
  /** MB that bramble may have resident. */
  memory?: number
  /** Half as many hosts take about half the time. */
  linear?: true
}

/** Everything is already so. */
function rerun(wanted: Rerun): Case {
  const { targets, tools: compared = toolNames, delay, slowShell, memory, linear, ...one } = wanted
  return {
    ...one,
    async run(bench) {
      const { farm } = bench
      const near = farm.hosts.slice(0, one.hosts)
      const hosts = delay === undefined ? near : near.map(distant)
      const stops =
        delay === undefined
          ? []
          : await Promise.all(near.map((host, index) => slow(farm, host, index, delay)))
      const rc = join(farm.home, '.bashrc')
      if (slowShell) writeFileSync(rc, 'sleep 0.3\n')
      try {
        const tools = makeTools(farm, one.name, hosts)
        const first = await measure(tools.bramble)
        bench.log(`brought ${hosts.length} hosts to the state in ${first.seconds.toFixed(1)} s`)
        const clean: Rounds = { check: (tool, run) => expectChanges(tool, run, 0) }
        const { times, runs, failures } = await interleaved(bench, pick(tools, compared), clean)
        const peak = Math.round(Math.max(...(runs.bramble ?? []).map(({ peakMemory }) => peakMemory)))
        const most = memory === undefined ? [] : [{ text: `≤ ${memory} MB`, reached: peak <= memory }]
        const growth = linear && (await growthOf(bench, one.name, hosts, times.bramble ?? []))
        return {
          title: one.name,
          hosts: hosts.length,
          times,
          targets: [...targets, ...most, ...(growth ? [growth.target] : [])],
          notes: [`bramble ${peak} MB at most`, ...(growth ? [growth.note] : []), ...failures],
        }
      } finally {
        for (const stop of stops) stop()
        rmSync(rc, { force: true })
      }
    },
  }
}

/** How the time for all hosts compares with that for half of them. A tenth more than twice is what noise may make. */
async function growthOf(
  bench: Bench,
  name: string,
  hosts: readonly FarmHost[],
  whole: readonly number[],
): Promise<{ target: Target; note: string }> {
  const half = hosts.slice(0, Math.floor(hosts.length / 2))
  const tools = makeTools(bench.farm, `${name}-half`, half)
  const { times } = await interleaved(bench, pick(tools, ['bramble']), {
    check: (tool, run) => expectChanges(tool, run, 0),
  })
  const seconds = median(times.bramble ?? [])
  const factor = median(whole) / seconds
  return {
    target: { text: '≤ 2.2 × the time for half the hosts', reached: factor <= 2.2 },
    note: `bramble ${factor.toFixed(2)} × its ${seconds.toFixed(1)} s for ${half.length} hosts`,
  }
}

function slow({ port }: Farm, host: FarmHost, index: number, delay: number): Promise<() => void> {
  return startDelay({ ...distant(host, index), port }, { ...host, port }, delay)
}

function distant(host: FarmHost, index: number): FarmHost {
  return { ...host, address: addressOf(78, index) }
}

/** The hosts have nothing yet. */
async function firstRun(bench: Bench): Promise<Result> {
  const hosts = bench.farm.hosts.slice(0, 4)
  const tools = makeTools(bench.farm, 'first-4', hosts)
  const changes = tasks.filter((task) => task.kind !== 'packages').length
  const { times, failures } = await interleaved(bench, pick(tools, ['bramble', 'ansible', 'mitogen']), {
    before: () => hosts.forEach(empty),
    check: (tool, run) => expectChanges(tool, run, changes),
  })
  return { title: 'first-4', hosts: 4, times, targets: [ansible(20)], notes: failures }
}

function empty({ root }: FarmHost): void {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
}

/** One file of each host was spoiled. */
async function oneChanged(bench: Bench): Promise<Result> {
  const hosts = bench.farm.hosts.slice(0, 4)
  const tools = makeTools(bench.farm, 'changed-4', hosts)
  await measure(tools.bramble)
  const clean = tripsOf(await measure(tools.bramble))
  const { times, runs } = await interleaved(bench, pick(tools, ours), {
    before: () => hosts.forEach(({ root }) => writeFileSync(join(root, spoiled), 'spoiled\n')),
    check: (tool, run) => expectChanges(tool, run, 1),
  })
  const trips = Math.max(...(runs.bramble ?? []).map(tripsOf))
  return {
    title: 'changed-4',
    hosts: 4,
    times,
    targets: [{ text: '≤ 3 trips more than clean', reached: trips - clean <= 3 }],
    notes: [`bramble ${trips} trips a host, clean ${clean}`],
  }
}

/** 100 MB to each of four hosts. */
async function push(bench: Bench): Promise<Result> {
  const { farm } = bench
  const hosts = farm.hosts.slice(0, 4)
  const tools = makeTools(farm, 'push-4', hosts)
  const file = join(tools.directory, 'large')
  writeFileSync(file, randomBytes(100_000_000))
  const pairs = join(tools.directory, 'destinations')
  writeFileSync(pairs, hosts.map(({ address, root }) => `${address}:${root}/large\n`).join(''))
  const scp = ['xargs', '-a', pairs, '-P', '4', '-I{}', 'scp', '-q', ...tools.ssh, file, '{}']
  const bramble = brambleCommand(tools.directory, tools.inventory, 'push.ts')
  const { times } = await interleaved(
    bench,
    { floor: { words: scp }, bramble: { ...bramble, environment: { BENCH_FILE: file } } },
    {
      before: () => hosts.forEach(empty),
      check: (tool, run) => expectChanges(tool, run, 1),
    },
  )
  return { title: 'push-4', hosts: 4, times, targets: [belowFloor(1 / 0.9)], notes: ['the floor is scp'] }
}

async function version(bench: Bench): Promise<Result> {
  const node = process.execPath
  const { times } = await interleaved(
    { ...bench, rounds: bench.rounds * 3 },
    {
      floor: { words: [node, '-e', '0'] },
      bramble: { words: [node, program, '--version'] },
    },
  )
  return { title: 'version', times, targets: [belowFloor(1.5)], notes: ['the floor is `node -e 0`'] }
}

interface Rounds {
  before?: () => void
  /** Throws when the run did not do what was to be measured. */
  check?: (tool: ToolName, run: Measured) => void
}

/**
 * Runs commands in turn, round by round, so that what else the computer does meets them alike. A peer that fails is
 * left out from then on, and `failures` tells of it.
 */
async function interleaved(
  bench: Bench,
  commands: Partial<Record<ToolName, Command>>,
  { before, check }: Rounds = {},
): Promise<{ times: Times; runs: Partial<Record<ToolName, Measured[]>>; failures: string[] }> {
  const times: Times = {}
  const failures: string[] = []
  const runs: Partial<Record<ToolName, Measured[]>> = {}
  const chosen = new Set(toolNames.filter((tool) => commands[tool]))
  for (const tool of chosen) bench.log(`${tool}: ${commandLine(commands[tool] ?? { words: [] })}`)
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const tool of chosen) {
      const command = commands[tool]
      if (!command || (!ours.includes(tool) && round >= bench.peerRounds)) continue
      before?.()
      const run = await measure(command).catch((error: unknown) => {
        if (ours.includes(tool) || !(error instanceof BrambleError)) throw error
        bench.log(error.describe())
        chosen.delete(tool)
        failures.push(`${tool} failed in round ${round + 1}`)
      })
      if (!run) continue
      check?.(tool, run)
      times[tool] = [...(times[tool] ?? []), run.seconds]
      runs[tool] = [...(runs[tool] ?? []), run]
      bench.log(`round ${round + 1}: ${tool} ${run.seconds.toFixed(2)} s`)
    }
  }
  return { times, runs, failures }
}

function pick(tools: Tools, names: readonly ToolName[]): Partial<Record<ToolName, Command>> {
  return Object.fromEntries(names.map((name) => [name, tools[name]]))
}
