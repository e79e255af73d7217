import { kernelModule, play, playbook, reboot } from 'bramble'

/** What only a machine with a kernel of its own can show. */
export default playbook({
  name: 'reboot',
  plays: [
    play({
      name: 'module and reboot',
      hosts: 'rpi3',
      *tasks() {
        yield kernelModule({ name: 'dummy' })
        yield reboot({ reason: 'a package asks for it' })
      },
    }),
  ],
})
