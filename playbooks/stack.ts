import {
  checkedConfig,
  directory,
  file,
  image,
  imageRevisions,
  keepalivedSources,
  laterNodeLabels,
  loadedImages,
  networkInterface,
  play,
  playbook,
  renderStack,
  renderTemplate,
  Secret,
  stack as dockerStack,
  stackChecks,
  stackConfigsPruned,
  stackModel,
  stackNodeLabels,
  stackRunning,
  UnknownFact,
  vipBack,
  type Cluster,
  type Context,
  type Host,
} from 'bramble'

/** Which interface holds each load balancer's address: where the virtual IP will be. */
const interfaces = play({
  name: 'interfaces',
  hosts: 'loadbalancers',
  *tasks(host) {
    yield networkInterface({ address: host.address })
  },
})

/** Its files are nobody else's business: there may be a password in them. */
function stackDirectory({ settings }: Cluster) {
  return directory({ path: settings.stack.directory, mode: '0750' })
}

/** The images a node needs, where no registry serves them: from archives, or built on the node. */
const images = play({
  name: 'images',
  hosts: 'loadbalancers:webservers',
  *tasks(host, { cluster, archives, template }) {
    const settings = cluster.settings.images
    if (settings.archives !== undefined) {
      yield loadedImages({ archives, references: referencesOf(host, settings) })
    }
    if (settings.keepalived_build && host.in('loadbalancers')) {
      const context = `${cluster.settings.stack.directory}/keepalived`
      yield stackDirectory(cluster)
      yield directory({ path: context })
      for (const name of keepalivedSources) {
        yield file({ path: `${context}/${name}`, content: template(`keepalived/${name}`).text })
      }
      yield image({ reference: settings.keepalived, build: { directory: context } })
    }
  },
})

/**
 * Nothing is deployed that the images refuse: each is asked about its configuration when that is new, on a node that
 * has it. One refusal ends the run.
 */
const configs = play({
  name: 'configs',
  hosts: 'loadbalancers:webservers',
  critical: true,
  *tasks(host, context) {
    const balancer = host.in('loadbalancers')
    // The last web server, as the first are busy with what is asked of load balancers.
    const last = host === context.alive.findLast((one) => one.in('webservers'))
    if (!balancer && !last) return
    const { model, files } = rendered(context)
    const checks = stackChecks(model, files, host.name)
    if (balancer) {
      yield checkedConfig(checks.haproxy)
      yield checkedConfig(checks.keepalived)
    }
    if (last) yield checkedConfig(checks.nginx)
  },
})

/** The rendered files on a manager, and the deploy from their directory. */
const deploy = play({
  name: 'stack',
  hosts: 'managers',
  runOnce: true,
  *tasks(_, context) {
    const { cluster } = context
    const { name, directory: path, deploy_timeout: timeout } = cluster.settings.stack
    const { files, configs: names, secret } = rendered(context)
    // No host of a group took part, and so none has asked its images.
    for (const group of ['loadbalancers', 'webservers']) {
      if (context.alive.some((one) => one.in(group))) continue
      throw new UnknownFact(cluster.group(group)[0]?.name ?? group, 'opinion of the configuration')
    }
    yield stackDirectory(cluster)
    for (const [target, text] of Object.entries(files)) {
      // The password in it is looked for in reports by itself.
      const content = secret ? new Secret(text, { search: false }) : text
      yield file({ path: `${path}/${target}`, content, mode: '0640' })
    }
    yield dockerStack({
      name,
      directory: path,
      files,
      timeout,
      resolveImage: cluster.settings.images.resolve,
    })
    yield laterNodeLabels(stackNodeLabels(context))
    yield stackRunning({ name, directory: path, timeout })
    yield stackConfigsPruned({ name, directory: path, keep: names })
  },
})

export default playbook({ name: 'stack', plays: [interfaces, images, configs, deploy, ...vipBack()] })

function rendered(context: Context) {
  const { cluster, facts, template } = context
  const interfaceOf = (host: string) => facts.get(host, 'interface', 'eth0')
  const model = stackModel(cluster, interfaceOf, imageRevisions(context))
  return { model, ...renderStack(model, template, renderTemplate) }
}

function referencesOf(
  host: Host,
  { nginx, haproxy, keepalived }: Record<'nginx' | 'haproxy' | 'keepalived', string>,
) {
  return [
    ...(host.in('webservers') ? [nginx] : []),
    ...(host.in('loadbalancers') ? [haproxy, keepalived] : []),
  ]
}
