import assert from 'node:assert/strict'
import { machines } from '../../../src/lab/machines.ts'
import type { Power } from '../../../src/lab/qemu.ts'
import { qemuCommand } from '../../../src/lab/qemu.ts'

function option(command: string[], name: string): string | undefined {
  return command[command.indexOf(name) + 1]
}

describe('the command line of QEMU', () => {
  const [rpi1, rpi2] = machines({ count: 2 })
  assert(rpi1 && rpi2)
  const power: Power = {
    arch: 'amd64',
    accelerator: 'tcg',
    memory: 768,
    base: { kernel: '/base/vmlinuz', initrd: '/base/initrd' },
    directory: '/lab/run',
  }

  it('gives each machine its own disk, card, name and address', () => {
    for (const machine of [rpi1, rpi2]) {
      const command = qemuCommand(machine, power)
      const text = command.join(' ')
      assert.match(text, new RegExp(`file=/lab/run/${machine.name}\\.qcow2,`))
      assert.match(text, new RegExp(`ifname=${machine.name},`))
      assert.match(text, new RegExp(`mac=${machine.mac},`))
      assert.match(text, new RegExp(`-qmp unix:/lab/run/${machine.name}\\.qmp,`))
      const kernelLine = option(command, '-append') ?? ''
      assert.match(kernelLine, new RegExp(`bramble\\.address=${machine.address}( |$)`))
      assert.match(kernelLine, new RegExp(`systemd\\.hostname=${machine.name}( |$)`))
    }
    const id = (machine: typeof rpi1) =>
      /machine_id=([0-9a-f]{32})( |$)/.exec(qemuCommand(machine, power).join(' '))?.[1]
    assert.notEqual(id(rpi1), undefined)
    assert.notEqual(id(rpi1), id(rpi2))
  })

  const cases: { power: Partial<Power>; program: string; cpu: string; accel: RegExp; console: string }[] = [
    {
      power: {},
      program: 'qemu-system-x86_64',
      cpu: 'max,erms=off',
      accel: /^tcg,.*tb-size=256/,
      console: 'ttyS0',
    },
    {
      power: { accelerator: 'kvm' },
      program: 'qemu-system-x86_64',
      cpu: 'max',
      accel: /^kvm$/,
      console: 'ttyS0',
    },
    {
      power: { arch: 'arm64' },
      program: 'qemu-system-aarch64',
      cpu: 'cortex-a72',
      accel: /^tcg,/,
      console: 'ttyAMA0',
    },
  ]
  for (const { power: some, program, cpu, accel, console } of cases) {
    it(`is ${program} with ${cpu} for ${some.arch ?? 'amd64'} by ${some.accelerator ?? 'tcg'}`, () => {
      const command = qemuCommand(rpi1, { ...power, ...some })
      assert.equal(command[0], program)
      assert.equal(option(command, '-cpu'), cpu)
      assert.match(option(command, '-accel') ?? '', accel)
      assert.match(option(command, '-append') ?? '', new RegExp(`^console=${console} `))
    })
  }
})
