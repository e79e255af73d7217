import { directory, kernelModule, nfsExport, play, playbook, reboot } from 'bramble'

/** What only a machine with a kernel of its own can show. */
export default playbook({
  name: 'reboot',
  plays: [
    play({
      name: 'another export',
      hosts: 'nfs_server',
      *tasks() {
        yield directory({ path: '/srv/nfs/other' })
        yield nfsExport({
          path: '/srv/nfs/other',
          clients: [{ address: '192.168.188.13', options: 'ro,no_subtree_check,fsid=2' }],
          file: '/etc/exports.d/other.exports',
        })
      },
    }),
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
