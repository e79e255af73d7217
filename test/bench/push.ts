import { readFileSync } from 'node:fs'
import { file, play, playbook } from 'bramble'

const content = readFileSync(process.env['BENCH_FILE'] ?? '')

export default playbook({
  name: 'push',
  plays: [
    play({
      name: 'push',
      hosts: 'all',
      tasks: (host) => [file({ path: `${String(host.extra['root'])}/large`, content })],
    }),
  ],
})
