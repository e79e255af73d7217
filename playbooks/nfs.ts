import {
  apt,
  command,
  directory,
  file,
  mirrorDirectory,
  mount,
  play,
  playbook,
  service,
  sh,
  template,
} from 'bramble'

// A server that has started again lets nobody open files until all who had some open are back, or until this is over.
// A client looks for it again after half of the lease at most.
const serverConf = `# Written by bramble.
[nfsd]
lease-time=10
grace-time=10
`

/** What a new share holds: it counts as nothing, where a mirror holds more. */
export const firstPage = '<h1>It works: served by bramble</h1>'

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
      run: sh`printf '%s\n' ${firstPage} >${`${page}.new`}
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
    yield directory({ path: '/etc/nfs.conf.d' })
    yield file({
      path: '/etc/nfs.conf.d/bramble.conf',
      content: serverConf,
      notify: { title: 'restart the NFS server', apply: sh`systemctl restart nfs-server` },
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
    const mark = `${mountpoint}/.bramble-not-mounted`
    yield command({
      title: `a mark below ${mountpoint}`,
      // By which nginx knows the bare directory from a site without that page.
      run: sh`mkdir -p ${mountpoint}
: >${mark}`,
      // Asks no server, which may be away.
      unless: sh`grep -qsF ${` ${mountpoint} `} /proc/self/mounts || [ -e ${mark} ]`,
    })
    // With what the mirror takes: apt is slow to start.
    const packages = host === serverHost ? ['rsync'] : ['nfs-common', 'rsync']
    yield apt({ packages })
    if (host === serverHost) {
      // A machine that mounts its own export over NFS can deadlock when memory runs short.
      yield mount({ path: mountpoint, source: path, type: 'none', options: 'bind,nofail' })
    } else {
      yield mount({
        path: mountpoint,
        source: `${serverHost.address}:${path}`,
        type: 'nfs4',
        options: [...options, `vers=${version}`, 'x-systemd.mount-timeout=30'].join(','),
      })
    }
  },
})

/** What is served when the share is not: a copy of it on every web server, and the service that keeps it. */
const mirror = play({
  name: 'mirror',
  hosts: 'webservers',
  *tasks(host, { cluster, template: source }) {
    const { nfs, mirror: settings, preflight } = cluster.settings
    const [serverHost] = cluster.group('nfs_server')
    if (!serverHost) return
    const path = mirrorDirectory(nfs)
    const script = '/usr/local/sbin/bramble-content'
    const restart = { title: 'restart bramble-content', apply: sh`systemctl restart bramble-content` }
    yield directory({ path })
    // What was decided before a reboot says nothing about the share after it.
    yield file({ path: '/etc/tmpfiles.d/bramble-content.conf', content: `r! ${path}/nfs\n` })
    yield template({
      path: script,
      source: source('content.sh.ejs'),
      variables: {
        nfs,
        preflight,
        mirror: { ...settings, directory: path },
        server: host === serverHost ? '' : serverHost.address,
        first_page: firstPage,
      },
      mode: '0755',
      notify: restart,
    })
    yield template({
      path: '/etc/systemd/system/bramble-content.service',
      source: source('bramble-content.service.ejs'),
      variables: { nfs, script },
      notify: restart,
    })
    yield service({ name: 'bramble-content', enabled: true, state: 'started' })
  },
})

export default playbook({ name: 'nfs', plays: [server, clients, mirror] })
