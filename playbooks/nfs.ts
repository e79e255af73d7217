import { apt, command, directory, mount, play, playbook, service, sh, template } from 'bramble'

/** The share, on the host of the group nfs_server. */
const server = play({
  name: 'nfs server',
  hosts: 'nfs_server',
  *tasks(_, { cluster, template: source }) {
    const { nfs } = cluster.settings
    const path = nfs.export
    yield apt({ packages: ['nfs-kernel-server'] })
    yield directory({ path })
    const page = `${path}/index.html`
    yield command({
      title: 'a first page',
      // Under another name first: one that a power cut left empty would be taken for yours.
      run: sh`printf '%s\n' ${'<h1>It works: served by bramble</h1>'} >${`${page}.new`}
sync ${`${page}.new`}
mv ${`${page}.new`} ${page}`,
      creates: page,
    })
    yield directory({ path: '/etc/exports.d' })
    yield template({
      path: '/etc/exports.d/bramble.exports',
      source: source('exports.ejs'),
      variables: { nfs, clients: cluster.group('webservers').map(({ address }) => address) },
      notify: { title: 'export the share', apply: sh`exportfs -ra` },
    })
    yield service({ name: 'nfs-server', enabled: true, state: 'started' })
  },
})

/** The share mounted on every web server; its own host reaches it without the network. */
const clients = play({
  name: 'nfs clients',
  hosts: 'webservers',
  *tasks(host, { cluster }) {
    const { export: path, mount: mountpoint, version, options } = cluster.settings.nfs
    const [serverHost] = cluster.group('nfs_server')
    if (!serverHost) return
    if (host === serverHost) {
      // A machine that mounts its own export over NFS can deadlock when memory runs short.
      yield mount({ path: mountpoint, source: path, type: 'none', options: 'bind,nofail' })
    } else {
      yield apt({ packages: ['nfs-common'] })
      yield mount({
        path: mountpoint,
        source: `${serverHost.address}:${path}`,
        type: 'nfs4',
        options: [...options, `vers=${version}`, 'x-systemd.mount-timeout=30'].join(','),
      })
    }
  },
})

export default playbook({ name: 'nfs', plays: [server, clients] })
