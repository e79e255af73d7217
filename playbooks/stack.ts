import {
  directory,
  file,
  image,
  loadedImages,
  networkInterface,
  play,
  playbook,
  renderStack,
  renderTemplate,
  Secret,
  stack as dockerStack,
  stackConfigsPruned,
  stackModel,
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
      const names = ['Dockerfile', 'check-haproxy', 'docker-entrypoint.sh']
      yield directory({ path: cluster.settings.stack.directory })
      yield directory({ path: context })
      for (const name of names) {
        yield file({ path: `${context}/${name}`, content: template(`keepalived/${name}`).text })
      }
      yield image({ reference: settings.keepalived, build: { directory: context } })
    }
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
    const { files, configs, secret } = rendered(context)
    yield directory({ path, mode: '0750' })
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
    yield stackConfigsPruned({ name, directory: path, keep: configs })
  },
})

export default playbook({ name: 'stack', plays: [interfaces, images, deploy] })

function rendered({ cluster, facts, template }: Context) {
  const model = stackModel(cluster, (host) => facts.get(host, 'interface', 'eth0'))
  return renderStack(model, template, renderTemplate)
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
