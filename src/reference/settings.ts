import { settingsJsonSchema } from '../inventory/index.ts'
import { hostSchema, settingsSchema } from '../inventory/schema.ts'

interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  items?: Schema
  enum?: (string | number)[]
  const?: string
  minimum?: number
  maximum?: number
}

/** The reference of all that an inventory may set, from the schema that checks it. */
export function settingsReference(): string {
  const schema = settingsJsonSchema() as Schema
  const all = Object.entries(schema.properties ?? {})
  const groups = all.filter(([, property]) => property.properties)
  const own = all.filter(([, property]) => !property.properties)
  const defaults: Record<string, Record<string, unknown>> = settingsSchema.parse({})
  return [
    intro,
    '## Settings of the whole cluster',
    'They stand in `group_vars/all.yml`, or as `vars:` of `all` in `hosts.yml`.',
    ...groups.flatMap(([name, group]) => [
      `### ${name}`,
      `${group.description}.`,
      table(Object.entries(group.properties ?? {}), defaults[name] ?? {}),
    ]),
    '## Settings of a host',
    'They may differ from host to host: in `host_vars/NAME.yml`, below the name of the host in `hosts.yml`, for the hosts of a group in `group_vars/GROUP.yml`, or for all where the settings of the cluster stand.',
    table(own, hostSchema.parse({})),
  ].join('\n\n')
}

const intro = `# Settings

Made from the schema in \`src/inventory/schema.ts\` by \`npx tsx src/reference/generate.ts\`.

An inventory has Ansible's shape: \`hosts.yml\`, \`group_vars/\` and \`host_vars/\`. Every setting has a default or may be left out; an unknown one is an error, found before any connection is opened. The command line beats the environment (\`BRAMBLE_USER\`, \`BRAMBLE_PRIVATE_KEY_FILE\`, \`BRAMBLE_BECOME_PASSWORD\`, \`BRAMBLE_HOST_KEYS\`; \`BRAMBLE_INVENTORY\` stands for \`-i\`, \`BRAMBLE_OUTPUT\` for \`-o\`, and with \`NO_COLOR\` nothing is coloured), which beats the inventory; there a host's own settings beat those of its groups, and a child group beats its parents. How hosts are reached may also stand in \`~/.ssh/config\`: [connections](connections.md).

An editor that knows the YAML language server completes settings and shows mistakes when the first line of \`inventory/group_vars/all.yml\` names the schema:

\`\`\`yaml
# yaml-language-server: $schema=PATH/docs/settings.schema.json
\`\`\`

Groups that have a meaning: \`managers\` and \`workers\` of the swarm, \`loadbalancers\` (the first holds the virtual address), \`webservers\`, \`nfs_server\`.

\`--limit\`, the \`hosts\` of a play, and \`exec\`, \`facts\`, \`reset\` and \`trust\` take patterns, as in Ansible: terms that are joined by \`:\` or \`,\`. A term is a host, a group, \`all\`, a glob (\`web*\`), a regular expression from the start of the name (\`~rpi[12]$\`), or a place in a group (\`managers[0]\`, \`managers[-1]\`, \`managers[0:1]\` with both ends). \`&term\` keeps only its hosts, \`!term\` leaves them out: \`webservers:&managers:!rpi3\`.`

function table(properties: readonly [string, Schema][], defaults: Readonly<Record<string, unknown>>): string {
  const rows = properties.map(
    ([name, property]) =>
      `| \`${name}\` | ${shown(defaults[name])} | ${kind(property)} | ${cell(property.description ?? '')} |`,
  )
  return ['| setting | default | value | what |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function kind({ type, items, enum: choices, const: only, minimum, maximum }: Schema): string {
  if (only !== undefined) return `\`${only}\``
  if (choices) return [...new Set(choices.map((choice) => `\`${choice}\``))].join(' or ')
  if (type === 'array') return `list of ${items ? kind(items) : 'anything'}`
  if (type === 'object') return 'mapping'
  if (type === 'boolean') return '`true` or `false`'
  if (type === 'integer' || type === 'number') return `${minimum} to ${maximum}`
  return type === 'string' ? 'text' : 'anything'
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
