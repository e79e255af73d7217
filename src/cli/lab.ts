import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Argv, CommandModule } from 'yargs'
import { BrambleError } from '../errors.ts'
import { exit } from './exit.ts'
import type { LabOptions, LabStatus } from '../lab/lab.ts'
import {
  cut,
  heal,
  inNamespace,
  kill,
  labDown,
  labSsh,
  labStatus,
  labUp,
  reflash,
  start,
} from '../lab/lab.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)

interface UpArguments {
  count: number
  fresh: string[] | undefined
  flavour: 'docker' | 'fresh'
  arch: 'amd64' | 'arm64' | undefined
  memory: number | undefined
}

const up: CommandModule<object, UpArguments> = {
  command: 'up',
  describe: 'Boot virtual Pis and wait until they answer SSH',
  builder: (yargs) =>
    yargs
      .option('count', { type: 'number', default: 4, describe: 'How many, 1 to 8' })
      .option('flavour', {
        choices: ['docker', 'fresh'] as const,
        default: 'docker' as const,
        describe: 'What is installed: Docker and NFS too, or a bare Debian',
      })
      .option('fresh', { type: 'string', array: true, describe: 'Machines that are bare: rpi3 or rpi3,rpi4' })
      .option('arch', {
        choices: ['amd64', 'arm64'] as const,
        describe: 'Architecture [default: BRAMBLE_LAB_ARCH, else this computer’s]',
      })
      .option('memory', { type: 'number', describe: 'MiB a machine [default: 768]' }),
  handler: async ({ count, flavour, fresh, arch, memory }) => {
    const options: LabOptions = {
      count,
      flavour,
      fresh: (fresh ?? []).flatMap((names) => names.split(',')),
      ...(arch && { arch }),
      ...(memory !== undefined && { memory }),
    }
    printStatus(await labUp(options, print))
  },
}

const status: CommandModule<object, { output: 'lines' | 'json' }> = {
  command: 'status',
  describe: 'Show the machines, their power and their cables',
  builder: (yargs) =>
    yargs.option('output', { alias: 'o', choices: ['lines', 'json'] as const, default: 'lines' as const }),
  handler: async ({ output }) => {
    const found = await labStatus()
    if (output === 'json') print(JSON.stringify(found))
    else printStatus(found)
  },
}

const ssh: CommandModule<object, { name: string }> = {
  command: 'ssh <name>',
  describe: 'Log in to a machine, or run a command on it: lab ssh rpi1 -- uptime',
  builder: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }),
  handler: async (parsed) => attach(labSsh(parsed.name, afterDashes(parsed))),
}

const exec: CommandModule = {
  command: 'exec',
  describe: 'Run a command of this computer in the lab’s network: lab exec -- curl http://192.168.188.200/',
  handler: async (parsed) => {
    const command = afterDashes(parsed)
    await attach(inNamespace(command.length > 0 ? command : [process.env['SHELL'] ?? '/bin/sh']))
  },
}

/** `bramble lab`: virtual Pis. */
export const labCommand: CommandModule = {
  command: 'lab',
  describe: 'Virtual Pis to try a cluster on',
  builder: (yargs) =>
    yargs
      .command(up)
      .command({
        command: 'down',
        describe: 'End the lab; nothing of it stays but its images and keys',
        handler: async () => {
          await labDown(print)
          print('the lab is down')
        },
      })
      .command(status)
      .command(ssh)
      .command(exec)
      .command(onMachine('kill', 'Cut a machine’s power', kill))
      .command(onMachine('start', 'Turn a machine’s power on again', (name) => start(name, print)))
      .command(
        onMachine('reflash', 'Put a newly written card into a machine, and turn it on', (name) =>
          reflash(name, print),
        ),
      )
      .command(onMachine('cut', 'Pull a machine’s network cable', cut))
      .command(onMachine('heal', 'Plug the cable in again', heal))
      .demandCommand(
        1,
        'say what to do with the lab: up, down, status, ssh, exec, kill, start, reflash, cut or heal',
      )
      .strict(),
  handler: () => {},
}

function onMachine(
  verb: string,
  describe: string,
  act: (name: string) => Promise<void>,
): CommandModule<object, { name: string }> {
  return {
    command: `${verb} <name>`,
    describe,
    builder: (yargs: Argv) => yargs.positional('name', { type: 'string', demandOption: true }),
    handler: ({ name }) => act(name),
  }
}

/** The words after `--`, whether yargs was told to keep them apart or not. */
function afterDashes(parsed: { _?: unknown; '--'?: unknown }): string[] {
  const apart = parsed['--']
  if (Array.isArray(apart)) return apart.map(String)
  const words = process.argv.slice(2)
  const dashes = words.indexOf('--')
  return dashes === -1 ? [] : words.slice(dashes + 1)
}

/** Runs a program on this terminal; its exit code becomes ours. */
async function attach(command: readonly string[]): Promise<void> {
  const [program = '', ...rest] = command
  const child = spawn(program, rest, { stdio: 'inherit' })
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => reject(new BrambleError(`${program} could not be started`, { cause })))
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
  exit(code)
}

function printStatus({ up, arch, accelerator, memory, directory, machines }: LabStatus): void {
  if (machines.length === 0) return print('the lab is down')
  print(
    `lab ${up ? 'up' : 'crashed'}: ${arch}, ${accelerator}, ${memory} MiB a machine, files in ${directory}`,
  )
  for (const { name, address, flavour, power, cable } of machines) {
    print(`  ${name}  ${address}  ${flavour.padEnd(6)}  power ${power.padEnd(3)}  cable ${cable}`)
  }
}
