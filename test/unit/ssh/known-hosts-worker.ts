import { addKnownKey } from '../../../src/ssh/known-hosts.ts'
import { replaceKnownKey } from '../../../src/ssh/replace-key.ts'

/** One of the processes that use a known_hosts file at the same time: adds many hosts, or replaces one many times. */
const [kind, file = '', name = ''] = process.argv.slice(2)
const key = Buffer.concat([Buffer.from('\0\0\0\u000Bssh-ed25519'), Buffer.alloc(36, 1)])

if (kind === 'add') for (let index = 0; index < 120; index++) addKnownKey(file, `${name}${index}`, key)
else for (let index = 0; index < 40; index++) await replaceKnownKey(file, name, key)
