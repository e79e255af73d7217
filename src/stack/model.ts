import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { InputError } from '../errors.ts'
import type { Cluster, Host, Settings } from '../inventory/types.ts'
import type { NodeLabelsOptions } from '../modules/node-labels.ts'

/** What the templates of the stack may name, besides `configs` in docker-compose.yml. */
export type StackModel = Pick<Settings, 'vip' | 'haproxy' | 'nginx' | 'nfs' | 'stack' | 'images'> & {
  /** The load balancers; the first is preferred for the virtual address. */
  loadbalancers: { name: string; address: string; interface: string; priority: number }[]
  webservers: { name: string; address: string }[]
  /** The directory that nginx gets to see: the parent of the share, so that a remount shows in the container. */
  share_parent: string
  /** The directory of the mirror; undefined where no host serves a share. */
  mirror: string | undefined
  /** Seconds that HAProxy waits for a web server before it asks another one: those that the share may take to answer. */
  server_timeout: number
  /** HAProxy's own words for the user and the password of its statistics page; undefined: the page is off. */
  operator: { user: string; password: string } | undefined
  /** What tells two images of one name apart where no registry does; a new one is rolled out. Else empty. */
  revisions: Record<'haproxy' | 'keepalived' | 'nginx', string>
}

/** A file of `templates/` and its text. */
interface Template {
  name: string
  text: string
}

/** The config files that services read, and the template of each. */
const configFiles = { haproxy: 'haproxy.cfg', keepalived: 'keepalived.conf', nginx: 'nginx.conf' } as const

/**
 * What ha-stack is made of, for its templates.
 *
 * `interfaceOf` is asked for the network interface of a load balancer where the inventory names none: preflight
 * tells it as the fact `interface`. `revisions` are those of `imageRevisions()`.
 *
 * Errors (InputError): no load balancer or no web server; the virtual address is a host's own.
 *
 * @example stackModel(cluster, (host) => facts.get(host, 'interface')).loadbalancers[0]?.priority === 150
 */
export function stackModel(
  cluster: Pick<Cluster, 'settings' | 'group' | 'hosts'>,
  interfaceOf: (host: string) => string,
  revisions: Partial<StackModel['revisions']> = {},
): StackModel {
  const { vip, haproxy, nginx, nfs, mirror, stack, images } = cluster.settings
  const balancers = members(cluster, 'loadbalancers')
  const owner = cluster.hosts.find(({ address }) => address === vip.address)
  if (owner)
    throw new InputError(`vip.address ${vip.address} is the address of ${owner.name}`, {
      expected: 'an address that no machine has',
      next: 'choose a free address outside the range that your router hands out',
    })
  return {
    vip,
    haproxy,
    nginx,
    nfs,
    stack,
    images,
    loadbalancers: balancers.map(({ name, address, settings }, index) => ({
      name,
      address,
      interface: settings.interface ?? vip.interface ?? interfaceOf(name),
      // From 150 down to 100, whatever their number.
      priority: 150 - Math.round((50 * index) / Math.max(1, balancers.length - 1)),
    })),
    webservers: members(cluster, 'webservers').map(({ name, address }) => ({ name, address })),
    share_parent: posix.dirname(nfs.mount),
    mirror: cluster.group('nfs_server').length > 0 ? mirrorDirectory(nfs) : undefined,
    server_timeout: Math.max(2, mirror.answer_timeout),
    operator: haproxy.stats_password && {
      user: haproxyWord(haproxy.stats_user, 'haproxy.stats_user'),
      password: haproxyWord(haproxy.stats_password.reveal(), 'haproxy.stats_password'),
    },
    revisions: { haproxy: '', keepalived: '', nginx: '', ...revisions },
  }
}

/**
 * Where each web server keeps its mirror of the share: beside the mount, as containers see the directory of both.
 *
 * @example mirrorDirectory({ mount: '/srv/bramble/share' }) === '/srv/bramble/share.mirror'
 */
export function mirrorDirectory({ mount }: Pick<Settings['nfs'], 'mount'>): string {
  return `${mount}.mirror`
}

/** Label of the nodes that Keepalived runs on: a load balancer that goes out of service loses it before all else. */
export const VIP_LABEL = 'bramble.vip'

/** The labels that bind services to their nodes, and the group that has each. */
const groupOf = {
  'bramble.loadbalancer': 'loadbalancers',
  [VIP_LABEL]: 'loadbalancers',
  'bramble.webserver': 'webservers',
} as const

/**
 * The labels of every node in the swarm: those that the services' constraints ask for, and the user's own.
 *
 * @example stackLabels(cluster).rpi3 // { 'bramble.webserver': 'true' }
 */
export function stackLabels(cluster: Pick<Cluster, 'hosts'>): Record<string, Record<string, string>> {
  return Object.fromEntries(
    cluster.hosts.map((host) => [
      host.name,
      {
        ...host.settings.labels,
        ...Object.fromEntries(
          Object.entries(groupOf)
            .filter(([, group]) => host.in(group))
            .map(([label]) => [label, 'true']),
        ),
      },
    ]),
  )
}

/** Whether it is to be in the swarm. */
export function isMember(host: Host): boolean {
  return host.in('managers') || host.in('workers')
}

/**
 * What `nodeLabels()` before a deploy and `laterNodeLabels()` after it are to be told. A node that does not answer may
 * never have joined. Where Keepalived runs already, it comes to one more node after the others were told of it: one that
 * its peers do not know does not hear of them, and takes the virtual IP while another has it.
 *
 * @example nodeLabels(stackNodeLabels(context))
 */
export function stackNodeLabels({
  cluster,
  alive,
}: {
  cluster: Pick<Cluster, 'hosts'>
  alive: readonly Host[]
}): NodeLabelsOptions {
  const members = cluster.hosts.filter(isMember)
  return {
    labels: stackLabels({ hosts: members }),
    optional: members.filter((host) => !alive.includes(host)).map((host) => host.name),
    later: [VIP_LABEL],
  }
}

export interface RenderedStack {
  /** Texts by file name: docker-compose.yml and the config files it names. */
  files: Record<string, string>
  /** Names of the swarm configs and secrets, each with a hash of its content: what `stackConfigsPruned` keeps. */
  configs: string[]
  /** A file holds a password. */
  secret: boolean
}

/**
 * The files of the stack's directory. A config's name carries the first 12 hex digits of its content's SHA-256,
 * because swarm configs never change.
 *
 * Errors: those of the templates; InputError for a config over the swarm's limit of 500 kB.
 *
 * @see https://docs.docker.com/engine/swarm/configs/
 * @example renderStack(model, context.template, renderTemplate).files['docker-compose.yml']
 */
export function renderStack(
  model: StackModel,
  template: (name: string) => Template,
  render: (source: Template, variables: Readonly<Record<string, unknown>>) => string,
): RenderedStack {
  const files: Record<string, string> = {}
  const configs: Record<string, string> = {}
  for (const [service, name] of Object.entries(configFiles)) {
    const text = render(template(`${name}.ejs`), model)
    if (Buffer.byteLength(text) > 500_000)
      throw new InputError(`${name} is too large for a swarm config`, {
        expected: 'at most 500000 bytes',
        found: `${Buffer.byteLength(text)} bytes`,
      })
    files[name] = text
    configs[service] =
      `${model.stack.name}-${service}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
  }
  files['docker-compose.yml'] = render(template('docker-compose.yml.ejs'), { ...model, configs })
  return { files, configs: Object.values(configs), secret: model.operator !== undefined }
}

function members(cluster: Pick<Cluster, 'group'>, group: string): readonly Host[] {
  const hosts = cluster.group(group)
  if (hosts.length === 0)
    throw new InputError(`group ${group} has no hosts`, {
      expected: 'at least one host',
      next: `add hosts to ${group} in the inventory`,
    })
  return hosts
}

/** One word of HAProxy's configuration, where quotes work as in a shell. */
function haproxyWord(text: string, setting: string): string {
  if (/[\0\r\n]/.test(text))
    throw new InputError(`${setting} holds a line break`, { expected: 'text on one line' })
  return `'${text.replaceAll("'", `'\\''`)}'`
}
