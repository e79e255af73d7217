import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { InputError } from '../errors.ts'
import { shortest } from '../secrets/forms.ts'
import { identityFile, ownRecipients } from '../secrets/keys.ts'
import { Secret } from '../secrets/secret.ts'
import { readStore, writeStore } from '../secrets/store.ts'
import { editSecrets } from './editor.ts'
import { withInventory } from './options.ts'
import { checked, fileOf, keys, newLock, newPassphrase, opened, readStdin, valueOf } from './secret-common.ts'
import { askTwice } from './terminal.ts'

interface Arguments {
  inventory: string
}

interface Named extends Arguments {
  name: string
}

const set: CommandModule<object, Named> = {
  command: 'set <name>',
  describe: 'Keep a value: from stdin, or typed without being shown',
  builder: named,
  handler: async ({ inventory, name }) => {
    if (!/^[a-z_][\w.-]*$/i.test(name)) {
      throw new InputError(`\`${name}\` is no name for a secret`, {
        expected: 'letters, digits, _, - and ., beginning with a letter',
      })
    }
    const file = await fileOf(inventory)
    const store = (await readStore(file, keys())) ?? { lock: await newLock(), values: new Map() }
    const value = checked(process.stdin.isTTY ? await askTwice(name) : new Secret(await readStdin()))
    await writeStore(file, { ...store, values: new Map([...store.values, [name, value]]) })
    if (value.reveal().length < shortest) {
      process.stderr.write(
        `warning: a secret of less than ${shortest} characters is not recognised in what hosts print\n`,
      )
    }
  },
}

const get: CommandModule<object, Named> = {
  command: 'get <name>',
  describe: 'Print a value',
  builder: named,
  handler: async ({ inventory, name }) => {
    const value = valueOf(await opened(inventory), name, await fileOf(inventory)).reveal()
    process.stdout.write(process.stdout.isTTY && !value.endsWith('\n') ? `${value}\n` : value)
  },
}

const edit: CommandModule<object, Arguments> = {
  command: 'edit',
  describe: 'Change them all as YAML in $VISUAL or $EDITOR',
  builder: withInventory,
  handler: async ({ inventory }) => {
    const file = await fileOf(inventory)
    const store = (await readStore(file, keys())) ?? { lock: await newLock(), values: new Map() }
    const values = await editSecrets(store.values)
    if (!values) process.stderr.write('nothing changed\n')
    else
      await writeStore(file, {
        ...store,
        values: new Map([...values].map(([name, value]) => [name, checked(value)])),
      })
  },
}

const list: CommandModule<object, Arguments> = {
  command: 'list',
  describe: 'Print the names',
  builder: withInventory,
  handler: async ({ inventory }) => {
    const store = await readStore(await fileOf(inventory), keys())
    for (const name of [...(store?.values.keys() ?? [])].toSorted()) console.log(name)
  },
}

const remove: CommandModule<object, Named> = {
  command: 'remove <name>',
  describe: 'Forget a value',
  builder: named,
  handler: async ({ inventory, name }) => {
    const file = await fileOf(inventory)
    const store = await opened(inventory)
    valueOf(store, name, file)
    await writeStore(file, { ...store, values: new Map([...store.values].filter(([one]) => one !== name)) })
  },
}

const rekey: CommandModule<object, Arguments & { recipient: string[] | undefined }> = {
  command: 'rekey',
  describe: 'Lock them anew: with another passphrase, or for recipients',
  builder: (yargs) =>
    withInventory(yargs).option('recipient', {
      alias: 'r',
      type: 'string',
      array: true,
      describe: 'Who shall be able to open them: age1…; once for each, yourself included',
    }),
  handler: async ({ inventory, recipient: recipients }) => {
    const file = await fileOf(inventory)
    const { values } = await opened(inventory)
    const own = await ownRecipients(process.env)
    if (recipients && !recipients.some((one) => own.includes(one))) {
      throw new InputError('you could not open the secrets yourself', {
        expected: `a recipient of yours among them: an identity in ${identityFile(process.env)}`,
        found: own.length > 0 ? `yours: ${own.join(', ')}` : 'no identity of yours',
        next: own.length > 0 ? `add -r ${own[0]}` : 'bramble secret keygen',
      })
    }
    await writeStore(file, {
      lock: recipients ? { recipients } : { passphrase: await newPassphrase() },
      values,
    })
  },
}

const keygen: CommandModule = {
  command: 'keygen',
  describe: 'Make an age identity of your own, and print its recipient',
  handler: async () => {
    const { generateIdentity, identityToRecipient } = await import('age-encryption')
    const file = identityFile(process.env)
    const identity = new Secret(await generateIdentity())
    const recipient = await identityToRecipient(identity.reveal())
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    try {
      writeFileSync(file, `# public key: ${recipient}\n${identity.reveal()}\n`, { mode: 0o600, flag: 'wx' })
    } catch (cause) {
      const next = `Keep it, or name a new file: BRAMBLE_AGE_IDENTITY=… bramble secret keygen`
      throw new InputError(`${file} cannot be made`, { found: String(cause), next, cause })
    }
    process.stderr.write(`the identity is in ${file}: keep a copy in a safe place\n`)
    console.log(recipient)
  },
}

/** `bramble secret`: values of the inventory, encrypted with age. */
export const secretCommand: CommandModule = {
  command: 'secret',
  describe: 'Passwords and the like, encrypted in the inventory',
  builder: (yargs) =>
    yargs
      .command(set)
      .command(get)
      .command(edit)
      .command(list)
      .command(remove)
      .command(rekey)
      .command(keygen)
      .example(
        'printf %s "$PASSWORD" | $0 secret set stats',
        'In the inventory: stats_password: !secret stats',
      )
      .demandCommand(1, 'say what to do: set, get, edit, list, remove, rekey or keygen')
      .strict(),
  handler: () => {},
}

function named<T>(yargs: Argv<T>) {
  return withInventory(yargs).positional('name', { type: 'string', demandOption: true, describe: 'Its name' })
}
